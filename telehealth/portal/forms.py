"""How every form of the portal is drawn: a label above, the hint and the fault tied to the field."""

from django.forms.renderers import DjangoTemplates


class Renderer(DjangoTemplates):
    """`FORM_RENDERER`: our templates for a form and its fields."""

    form_template_name = "portal/form.html"
    field_template_name = "portal/field.html"
