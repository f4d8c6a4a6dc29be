"""What the seeding writes is what the application would have written: it verifies, and leaves nothing behind."""

from audit.ledger.models import Entry, Leaf
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Verifier
from tests.audit.conftest import Write, seal_all
from tests.audit.seeding import seeded


def test_seeded_entries_verify_and_go_again(sealer: Sealer, written: Write) -> None:
    written(3)
    seal_all(sealer)
    leaves, entries = Leaf.objects.count(), Entry.objects.count()
    with seeded(2_000, months=4, sealer=sealer) as made:
        seal_all(sealer)
        report = Verifier().run()
        assert report.ok, report.damages[:3]
        assert report.entries == leaves + 2_000
        assert Entry.objects.filter(id__gte=made.first, id__lte=made.last).count() == 2_000
        assert Leaf.objects.filter(entry_id=made.last).exists()
    assert (Leaf.objects.count(), Entry.objects.count()) == (leaves, entries)
    written(2)
