"""The ledger's clock: who looks whether the sealer works, and who brings the published log to the bucket."""

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from celery import shared_task
from django.conf import settings

from audit.ledger import alarms
from audit.ledger.errors import Forked
from audit.ledger.publication.bucket import Differs, Unlocked, publish
from audit.ledger.sealing import lag_seconds

log = structlog.get_logger(__name__)


@shared_task(name="audit.ledger.tasks.watch", ignore_result=True)
def watch() -> None:
    """Alarm when entries have waited for longer than AUDIT_LAG_SECONDS."""
    lag = lag_seconds()
    if lag > settings.AUDIT_LAG_SECONDS:
        alarms.lag_found(lag)


@shared_task(name="audit.ledger.tasks.publish_log", ignore_result=True)
def publish_log() -> None:
    """Alarm when the bucket's history is another; what is merely out of reach is tried again at the next stroke."""
    if not settings.AUDIT_BUCKET:
        return
    try:
        publish(settings.AUDIT_CHECKPOINTS)
    except Forked as fork:
        alarms.fork_found(fork.published, fork.stored)
    except Differs:
        alarms.fork_found(0, 0)
    except (Unlocked, ClientError, BotoCoreError, OSError) as error:
        log.error("the log was not published", error=type(error).__name__)
