"""Register outbound messages and Marketing Cloud's callback through Salesforce's APIs; give the steps for the rest.

https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_workflowoutboundmessage.htm
https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/ens-get-started.html
"""

from __future__ import annotations

from typing import Final

from translators.kit import Need, Refused, Registered, Registering, bearer, json_call
from translators.salesforce.apex import salesforce_apex
from translators.salesforce.cdc import salesforce_cdc
from translators.salesforce.data_cloud import salesforce_data_cloud
from translators.salesforce.marketing_cloud import salesforce_marketing_cloud
from translators.salesforce.outbound import salesforce

_API: Final = "61.0"
_EVERY: Final = ("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp")
# The fields of docs/sources/salesforce.md
_FIELDS: Final = {
    "Lead": (
        "FirstName", "LastName", "Email", "Company", "Status", "IsConverted", "ConvertedContactId",
        "ConvertedAccountId",
    ),
    "Contact": ("FirstName", "LastName", "Email", "AccountId"),
    "Account": ("Name", "Industry", "Website"),
    "Opportunity": ("Name", "StageName", "IsWon", "IsClosed", "Amount", "AccountId"),
    "Case": ("CaseNumber", "Subject", "Status", "IsClosed", "Priority", "ContactId", "AccountId"),
}  # fmt: skip


@salesforce.registration(
    Need("instance_url", "SALESFORCE_INSTANCE_URL", "https://acme.my.salesforce.com", secret=False),
    Need("access_token", "SALESFORCE_ACCESS_TOKEN", "a session of a user with the permission Customize Application"),
    Need(
        "username", "SALESFORCE_USERNAME", "the user that sends the messages, with access to the fields", secret=False
    ),
    Need("fields", "SALESFORCE_FIELDS", "your own fields: Contact.User_Id__c Lead.User_Id__c", False, ""),
    after="attach each message (Segue_Lead, Segue_Contact ...) to a record-triggered flow of its object: "
    "Setup > Flows > New > Record-Triggered, element Action > Outbound Message.",
)
def register_outbound(at: Registering) -> Registered:
    """Create one outbound message per object, without the session id; the token is the end of the URL."""
    own = [name.partition(".") for name in at.values["fields"].split()]
    unknown = [f"{kind}.{name}" for kind, _, name in own if kind not in _FIELDS or not name]
    if unknown:
        raise Refused(f"{unknown[0]} is not a field of {', '.join(_FIELDS)}")
    url = f"{at.values['instance_url'].rstrip('/')}/services/data/v{_API}/tooling/sobjects/WorkflowOutboundMessage"
    for kind in (type_ for type_ in at.types if type_ in _FIELDS):
        message = {
            "name": f"Segue {kind}",
            "apiVersion": float(_API),
            "endpointUrl": f"{at.url}/{at.secret}",
            "fields": [*_EVERY, *_FIELDS[kind], *(name for of, _, name in own if of == kind)],
            "includeSessionId": False,
            "integrationUser": at.values["username"],
            "protected": False,
            "useDeadLetterQueue": False,
        }
        outbound_message = {"FullName": f"{kind}.Segue_{kind}", "Metadata": message}
        yield json_call("POST", url, bearer(at.values["access_token"]), outbound_message)
    return at.secret


salesforce.manual_steps(
    "Setup > Outbound Messages > New, one each for Lead, Contact, Account, Opportunity, Case, without Send Session ID.",
    "Endpoint URL of each: {url}/{secret}",
    "Tick Id, CreatedDate, LastModifiedDate, SystemModstamp, and the fields of docs/sources/salesforce.md.",
    "Attach each to a record-triggered flow of its object: Setup > Flows.",
    chosen="{random}",
)


@salesforce_marketing_cloud.registration(
    Need("subdomain", "SALESFORCE_MC_SUBDOMAIN", "of https://<subdomain>.rest.marketingcloudapis.com", secret=False),
    Need("access_token", "SALESFORCE_MC_ACCESS_TOKEN", "of an API integration that may write Event Notifications"),
    Need("callback_id", "SALESFORCE_MC_CALLBACK_ID", "for the second run: callbackId from Segue's log", False, ""),
    Need(
        "verification_key",
        "SALESFORCE_MC_VERIFICATION_KEY",
        "for the second run: verificationKey from Segue's log",
        True,
        "",
    ),
    after="Segue's log has a line with callbackId and verificationKey (it must run, with any secret and with "
    "SEGUE_SALESFORCE_MARKETING_CLOUD_VERIFICATION=show). Within four hours: segue register "
    "salesforce_marketing_cloud with --give callback_id=... --give verification_key=...",
)
def register_ens(at: Registering) -> Registered:
    """Create the callback in the first run; its key is sent once. Verify it and subscribe in the second."""
    base = f"https://{at.values['subdomain']}.rest.marketingcloudapis.com/platform/v1"
    headers = bearer(at.values["access_token"])
    callback, code = at.values["callback_id"], at.values["verification_key"]
    if not callback:
        callbacks = yield json_call(
            "POST", f"{base}/ens-callbacks", headers, [{"callbackName": "Segue", "url": at.url}]
        )
        return callbacks.text("0.signatureKey")
    if not code:
        raise Refused("verification_key is missing: it is in Segue's log, next to callbackId")
    yield json_call("POST", f"{base}/ens-verify", headers, {"callbackId": callback, "verificationKey": code})
    subscription = {"callbackId": callback, "subscriptionName": "Segue", "eventCategoryTypes": list(at.types)}
    yield json_call("POST", f"{base}/ens-subscriptions", headers, [subscription])
    return None


salesforce_apex.manual_steps(
    "Deploy the class and the trigger of docs/salesforce: cd docs/salesforce && sf project deploy start",
    "Setup > Custom Metadata Types > Segue Setting > Manage Records > New: name Default, Endpoint {url}, "
    "Secret {secret}",
    "Setup > Remote Site Settings: the host of that URL.",
    "Copy the trigger, one line, for each other object that you want to send.",
    chosen="{random}",
)
salesforce_cdc.manual_steps(
    "Setup > Change Data Capture: choose the objects; on a custom channel add AccountId, ContactId and the field "
    "of your user id as enriched fields.",
    "Have your relay (a Pub/Sub or CometD client, or EventBridge's API destination) post what it receives to {url}",
    "Have it sign as Standard Webhooks does, with {secret}. Other ways: SEGUE_SALESFORCE_CDC_SCHEME, in "
    "docs/sources/salesforce_cdc.md.",
    chosen="whsec_{base64}",
)
salesforce_data_cloud.manual_steps(
    "Data Cloud > Data Action Targets > New > Webhook: {url}",
    "Generate Secret Key on the target: without a key nothing is sent. The key takes effect within 15 minutes.",
    "Data Actions > New, with this target.",
)
