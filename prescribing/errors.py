"""What prescribing says no to."""

from telehealth.core.errors import Conflict, Invalid, Missing


class OrderUnfit(Invalid):
    """The order itself is wrong; `reply["errors"]` names field and fault."""

    code = "order_unfit"


class UnknownMedication(Invalid):
    code = "unknown_medication"


class UnknownPharmacy(Invalid):
    code = "unknown_pharmacy"


class ControlledSubstance(Conflict):
    """21 CFR 1311: this software is not certified for controlled substances, so it does not write or send them."""

    code = "epcs_disabled"


class VisitNotUnderWay(Conflict):
    code = "visit_not_under_way"


class AlreadySigned(Conflict):
    """A signed prescription never changes."""

    code = "already_signed"


class NotADraft(Conflict):
    code = "not_a_draft"


class CannotBeSent(Conflict):
    """Something that every prescription must carry is missing or does not fit; `reply["errors"]` names what."""

    code = "cannot_be_sent"


class Altered(Conflict):
    """A signed prescription, or its message, is not what was signed: it does not leave."""

    code = "altered"


class UnknownMessage(Missing):
    """An answer to nothing that we sent to this sender."""

    code = "unknown_message"


class MessageIdReused(Conflict):
    """The sender has used this MessageID for another body."""

    code = "message_id_reused"


class UnsupportedMessage(Invalid):
    """A well-formed message of a kind that we do not take."""

    code = "unsupported_message"
