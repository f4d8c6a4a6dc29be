"""Shapes that show each role its own fields and no others."""

from typing import Any, ClassVar

from audit.ledger import current
from telehealth.accounts.access import Resource
from telehealth.accounts.access_fields import fields
from telehealth.rest.shapes import Shape


class RoleShape(Shape):
    """Shows what `accounts.access_fields` gives the role of who asks, wherever it is rendered; what is not shown is not
    read either, so that nothing is opened for it."""

    resource: ClassVar[Resource]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The fields of the role that the unit stands for."""
        shown = fields(current().actor.role, self.resource)
        for name in set(map(str, self.fields)) - shown:
            del self.fields[name]
        return super().to_representation(instance)
