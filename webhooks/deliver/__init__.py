"""The delivery worker.

worker = Worker(journal, endpoints, Clients(settings.segment), settings.worker, namespace=settings.namespace)
worker.run(stop)
"""

from webhooks.deliver.worker import Worker

__all__ = ["Worker"]
