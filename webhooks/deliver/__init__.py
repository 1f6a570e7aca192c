"""The delivery worker.

context = DeliveryContext(journal=journal, endpoints=endpoints, clients=metered(settings.segment, meter),
                          namespace=settings.namespace, meter=meter)
worker = Worker(context, settings.worker)
worker.run()              # until another thread calls worker.stop()
"""

from webhooks.deliver.context import DeliveryContext
from webhooks.deliver.metered import metered
from webhooks.deliver.worker import Worker

__all__ = ["DeliveryContext", "Worker", "metered"]
