"""Translate everything that Salesforce pushes; each way is a source with its own URL.

outbound.py         salesforce: Outbound Messages, SOAP (read by soap.py)
apex.py             salesforce_apex: signed callouts of the Apex class in docs/salesforce/
cdc.py              salesforce_cdc: Change Data Capture and platform events that a relay posts as JSON
data_cloud.py       salesforce_data_cloud: data actions
marketing_cloud.py  salesforce_marketing_cloud: Engagement's Event Notification Service
registration.py     registers each of them

The first three share the meaning of records: change.py (one change of one record), objects.py (its messages and
identity), people.py, deals.py, custom.py, settings.py (shared options), ids.py.
"""

from translators.salesforce import registration
from translators.salesforce.apex import salesforce_apex
from translators.salesforce.cdc import salesforce_cdc
from translators.salesforce.data_cloud import salesforce_data_cloud
from translators.salesforce.marketing_cloud import salesforce_marketing_cloud
from translators.salesforce.outbound import salesforce

__all__ = [
    "registration",
    "salesforce",
    "salesforce_apex",
    "salesforce_cdc",
    "salesforce_data_cloud",
    "salesforce_marketing_cloud",
]
