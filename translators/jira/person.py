"""Jira's users: Cloud has an `accountId`, Data Center a `key`, which is unique per site only.

https://developer.atlassian.com/cloud/jira/platform/deprecation-notice-user-privacy-api-migration-guide/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from translators.kit import ExternalId, Identity, Payload, real_name

_APPLICATION: Final = "app"
_CUSTOMER: Final = "customer"  # an account of the portal only, not a team member


def site_of(address: str) -> str:
    """Return the host, and on Data Center the path, of a site's URL: `acme.atlassian.net`."""
    place = address.partition("://")[2]
    return place.partition("/rest/")[0].partition("/browse/")[0].strip("/")


def user_id(user: Payload) -> str | None:
    """Return the account id, the user key, or (Data Center before 8) the name."""
    return user.first("accountId:id", "key:id", "name:id")


def is_application(user: Payload) -> bool:
    """Return whether a user is an app or automation."""
    return user.text("accountType", "") == _APPLICATION


def is_customer(user: Payload) -> bool:
    """Return whether a user has an account of a service portal only."""
    return user.text("accountType", "") == _CUSTOMER


def known(user: Payload, site: str) -> Identity | None:
    """Return the person; None for an application or a missing user. A hidden address has no @."""
    if is_application(user) or (own := user_id(user)) is None:
        return None
    email = user.text("emailAddress", "")
    traits = {"email": email if "@" in email else None, "name": real_name(user.opt.text("displayName"))}
    return account(own, site if "accountId" not in user else "", traits)


def account(own: str, site: str, traits: Mapping[str, str | None]) -> Identity:
    """Return a person by the account id, or with `site` by the user key of a Data Center site."""
    if site:
        external = ExternalId("jira_user_key", own)
        return Identity(anonymous=("user", f"{site}|{own}"), external_ids=(external,), traits=traits)
    return Identity(anonymous=("user", own), external_ids=(ExternalId("jira_account_id", own),), traits=traits)
