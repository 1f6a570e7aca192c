"""The delivery worker.

meter = Meter()
clients = metered(settings.segment, meter)
worker = Worker(journal, endpoints, clients, settings.worker, namespace=settings.namespace, meter=meter)
worker.run(stop)
"""

from webhooks.deliver.metered import metered
from webhooks.deliver.worker import Worker

__all__ = ["Worker", "metered"]
