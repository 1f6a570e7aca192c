"""Shopify event keys, topics, test notifications, and amounts that add up."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Delivery
from translators.shopify import shopify
from translators.shopify.registration import enum_value
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Translated

GOLDEN = Path(__file__).parent.parent / "golden" / "shopify"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HEADERS = {"x-shopify-topic": "orders/paid", "x-shopify-event-id": "e-1", "x-shopify-webhook-id": "w-1"}

# https://shopify.dev/docs/api/admin-graphql/latest/enums/WebhookSubscriptionTopic, with the topic each value stands for
TOPICS = [
    "app/scopes_update",
    "app/uninstalled",
    "app_purchases_one_time/update",
    "app_subscriptions/approaching_capped_amount",
    "app_subscriptions/update",
    "attributed_sessions/first",
    "attributed_sessions/last",
    "audit_events/admin_api_activity",
    "bulk_operations/finish",
    "carts/create",
    "carts/update",
    "channels/delete",
    "checkout_and_accounts_configurations/update",
    "checkouts/create",
    "checkouts/delete",
    "checkouts/update",
    "collection_listings/add",
    "collection_listings/remove",
    "collection_listings/update",
    "collection_publications/create",
    "collection_publications/delete",
    "collection_publications/update",
    "collections/create",
    "collections/delete",
    "collections/update",
    "companies/create",
    "companies/delete",
    "companies/update",
    "company_contact_roles/assign",
    "company_contact_roles/revoke",
    "company_contacts/create",
    "company_contacts/delete",
    "company_contacts/update",
    "company_locations/create",
    "company_locations/delete",
    "company_locations/update",
    "customer.joined_segment",
    "customer.left_segment",
    "customer.tags_added",
    "customer.tags_removed",
    "customer_account_settings/update",
    "customer_groups/create",
    "customer_groups/delete",
    "customer_groups/update",
    "customer_payment_methods/create",
    "customer_payment_methods/revoke",
    "customer_payment_methods/update",
    "customers/create",
    "customers/data_request",
    "customers/delete",
    "customers/disable",
    "customers/enable",
    "customers/merge",
    "customers/purchasing_summary",
    "customers/redact",
    "customers/update",
    "customers_email_marketing_consent/update",
    "customers_marketing_consent/update",
    "delivery_promise_settings/update",
    "discounts/create",
    "discounts/delete",
    "discounts/redeemcode_added",
    "discounts/redeemcode_removed",
    "discounts/update",
    "disputes/create",
    "disputes/update",
    "domains/create",
    "domains/destroy",
    "domains/update",
    "draft_orders/create",
    "draft_orders/delete",
    "draft_orders/update",
    "finance_app_staff_member/delete",
    "finance_app_staff_member/grant",
    "finance_app_staff_member/revoke",
    "finance_app_staff_member/update",
    "finance_kyc_information/update",
    "fulfillment_events/create",
    "fulfillment_events/delete",
    "fulfillment_holds/added",
    "fulfillment_holds/released",
    "fulfillment_orders/cancellation_request_accepted",
    "fulfillment_orders/cancelled",
    "fulfillment_orders/fulfillment_request_submitted",
    "fulfillment_orders/hold_released",
    "fulfillment_orders/line_items_prepared_for_pickup",
    "fulfillment_orders/merged",
    "fulfillment_orders/moved",
    "fulfillment_orders/order_routing_complete",
    "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/progress_reported",
    "fulfillment_orders/rescheduled",
    "fulfillment_orders/scheduled_fulfillment_order_ready",
    "fulfillment_orders/split",
    "fulfillments/create",
    "fulfillments/update",
    "inventory_items/create",
    "inventory_items/delete",
    "inventory_items/update",
    "inventory_levels/connect",
    "inventory_levels/disconnect",
    "inventory_levels/update",
    "inventory_shipments/add_items",
    "inventory_shipments/create",
    "inventory_transfers/complete",
    "locales/create",
    "locales/destroy",
    "locales/update",
    "locations/activate",
    "locations/create",
    "locations/deactivate",
    "locations/delete",
    "locations/update",
    "markets/create",
    "markets/delete",
    "markets/update",
    "markets_backup_region/update",
    "metafield_definitions/create",
    "metafield_definitions/delete",
    "metafield_definitions/update",
    "metaobjects/create",
    "metaobjects/delete",
    "metaobjects/update",
    "order_transactions/create",
    "orders/cancelled",
    "orders/create",
    "orders/delete",
    "orders/edited",
    "orders/fulfilled",
    "orders/link_requested",
    "orders/paid",
    "orders/partially_fulfilled",
    "orders/risk_assessment_changed",
    "orders/shopify_protect_eligibility_changed",
    "orders/updated",
    "payment_schedules/due",
    "payment_terms/create",
    "payment_terms/delete",
    "payment_terms/update",
    "product_feeds/create",
    "product_feeds/full_sync",
    "product_feeds/full_sync_finish",
    "product_feeds/incremental_sync",
    "product_feeds/update",
    "product_listings/add",
    "product_listings/remove",
    "product_listings/update",
    "product_publications/create",
    "product_publications/delete",
    "product_publications/update",
    "products/create",
    "products/delete",
    "products/update",
    "profiles/create",
    "profiles/delete",
    "profiles/update",
    "publications/delete",
    "refunds/create",
    "returns/approve",
    "returns/cancel",
    "returns/close",
    "returns/decline",
    "returns/process",
    "returns/reopen",
    "returns/request",
    "returns/update",
    "reverse_deliveries/attach_deliverable",
    "reverse_fulfillment_orders/dispose",
    "scheduled_product_listings/add",
    "scheduled_product_listings/remove",
    "scheduled_product_listings/update",
    "segments/create",
    "segments/delete",
    "segments/update",
    "selling_plan_groups/create",
    "selling_plan_groups/delete",
    "selling_plan_groups/update",
    "shipping_addresses/create",
    "shipping_addresses/update",
    "shop/redact",
    "shop/update",
    "subscription_billing_attempts/challenged",
    "subscription_billing_attempts/failure",
    "subscription_billing_attempts/success",
    "subscription_billing_cycle_edits/create",
    "subscription_billing_cycle_edits/delete",
    "subscription_billing_cycle_edits/update",
    "subscription_billing_cycles/skip",
    "subscription_billing_cycles/unskip",
    "subscription_contracts/activate",
    "subscription_contracts/cancel",
    "subscription_contracts/create",
    "subscription_contracts/expire",
    "subscription_contracts/fail",
    "subscription_contracts/pause",
    "subscription_contracts/update",
    "tax_partners/update",
    "tax_services/create",
    "tax_services/update",
    "tax_summaries/create",
    "tender_transactions/create",
    "themes/create",
    "themes/delete",
    "themes/publish",
    "themes/update",
    "variants/in_stock",
    "variants/out_of_stock",
]


def golden(case: str) -> Any:
    return json.loads((GOLDEN / f"{case}.json").read_text())


def translate(body: Any, topic: str = "orders/paid", *, headers: dict[str, str] | None = None, **options: Any) -> Any:
    delivery = Delivery(
        source="shopify", body=json.dumps(body).encode(), received_at=NOW,
        headers={**HEADERS, "x-shopify-topic": topic, "x-shopify-triggered-at": "2026-11-23T11:00:00Z", **(headers or {})},
        options=shopify.defaults() | options,
    )  # fmt: skip
    ((event, outcome),) = outcomes(shopify, delivery)
    return event, outcome


@pytest.mark.parametrize("topic", TOPICS)
def test_every_shopify_topic_is_translated_or_ignored_with_a_reason(topic: str) -> None:
    assert SourceRuntime(shopify).find(topic) is not None


def test_registration_names_shopify_topics_by_their_enum_value() -> None:
    assert enum_value("orders/partially_fulfilled") == "ORDERS_PARTIALLY_FULFILLED"
    assert enum_value("customer.joined_segment") == "CUSTOMER_JOINED_SEGMENT"


def test_shopify_recognises_an_event_by_the_webhook_id_of_an_earlier_release() -> None:
    event, _ = translate(golden("orders.paid"))
    assert event.id == "orders/paid:e-1:450001"
    assert [former.id for former in event.former_ids] == ["w-1"]


def test_shopify_recognises_an_event_by_the_digest_of_an_earlier_release() -> None:
    event, _ = translate(golden("orders.paid"), headers={"x-shopify-event-id": "", "x-shopify-webhook-id": ""})
    assert event.id.startswith("orders/paid:sha256:")
    assert [former.id for former in event.former_ids] == [event.id.removeprefix("orders/paid:")]


@pytest.mark.parametrize("record", [{"id": None}, {"id": {"a": 1}}, {"id": [1]}, {"id": True}])
def test_shopify_key_of_a_record_without_usable_id_is_topic_and_event_id(record: dict[str, Any]) -> None:
    event, _ = translate(record, "products/update")
    assert event.id == "products/update:e-1"
    assert not event.problem


@pytest.mark.parametrize("topic", ["refunds/create", "orders/paid", "customers/create", "checkouts/create"])
def test_a_shopify_test_notification_is_skipped_when_environment_is_live(topic: str) -> None:
    body = golden(topic.replace("/", "."))
    _, skipped = translate(body, topic, headers={"x-shopify-test": "true"})
    assert isinstance(skipped, Ignored)
    assert "SEGUE_SHOPIFY_ENVIRONMENT=both" in skipped.reason
    _, delivered = translate(body, topic, headers={"x-shopify-test": "true"}, environment="both")
    assert delivered.messages[0]["context"]["webhook"]["test"] is True
    assert isinstance(translate(body, topic, headers={"x-shopify-test": "false"})[1], Translated)


@pytest.mark.parametrize("transactions", [[], [{"kind": "void", "status": "success", "amount": "5.00"}]])
def test_a_shopify_refund_without_a_refund_transaction_is_ignored(transactions: list[Any]) -> None:
    _, outcome = translate({**golden("refunds.create"), "transactions": transactions}, "refunds/create")
    assert isinstance(outcome, Ignored)


CENTS = st.integers(0, 10**7).map(lambda cents: Decimal(cents).scaleb(-2))


@given(
    goods=CENTS, goods_tax=CENTS, shipping=CENTS, shipping_tax=CENTS, shipping_discount=CENTS, tip=CENTS, duties=CENTS,
    included=st.booleans(), goods_lines=st.booleans(), shipping_lines=st.booleans(),
)  # fmt: skip
def test_shopify_subtotal_tax_shipping_tip_and_duties_add_up_to_the_total(
    goods: Decimal, goods_tax: Decimal, shipping: Decimal, shipping_tax: Decimal, shipping_discount: Decimal,
    tip: Decimal, duties: Decimal, included: bool, goods_lines: bool, shipping_lines: bool,
) -> None:  # fmt: skip
    """Prices with and without tax; tax on the lines, or on the order only."""
    shipping += Decimal("0.01")
    goods_price = goods + (goods_tax if included else 0)
    shipping_price = shipping + (shipping_tax if included else 0)
    tax = goods_tax + shipping_tax
    total = goods + shipping + tax + tip + duties
    body = {
        "id": 1, "currency": "EUR", "taxes_included": included, "total_tax": str(tax), "total_price": str(total),
        "subtotal_price": str(goods_price), "total_tip_received": str(tip),
        "original_total_duties_set": {"shop_money": {"amount": str(duties), "currency_code": "EUR"}},
        "total_shipping_price_set": {"shop_money": {"amount": str(shipping_price), "currency_code": "EUR"}},
        "line_items": [{"title": "A", "quantity": 1} | ({"tax_lines": [{"price": str(goods_tax)}]} if goods_lines else {})],
    }  # fmt: skip
    if shipping_lines:
        body["shipping_lines"] = [{
            "price": str(shipping_price + shipping_discount), "tax_lines": [{"price": str(shipping_tax)}],
            "discount_allocations": [{"amount": str(shipping_discount)}],
        }]  # fmt: skip
    _, outcome = translate(body)
    money = outcome.messages[0]["properties"]
    parts = ("subtotal", "tax", "shipping", "tip", "duties")
    assert sum((money.get(name, Decimal(0)) for name in parts), Decimal(0)) == money["total"] == total
    assert money["revenue"] == money["subtotal"]
    if goods_lines or shipping_lines or not included:
        assert (money["subtotal"], money["shipping"]) == (goods, shipping)


@given(shop=CENTS, buyer=CENTS, tax=CENTS, share=st.integers(1, 100))
def test_a_shopify_refund_is_in_the_shops_currency_and_never_exceeds_its_lines(
    shop: Decimal, buyer: Decimal, tax: Decimal, share: int
) -> None:
    shop, buyer = shop + 1, buyer + 1
    money = {
        "shop_money": {"amount": str(shop), "currency_code": "USD"},
        "presentment_money": {"amount": str(buyer), "currency_code": "EUR"},
    }
    paid = (buyer * share / 100).quantize(Decimal("0.01"))
    body = {
        "id": 1, "order_id": 2, "refund_line_items": [{"quantity": 1, "subtotal_set": money}],
        "transactions": [{"kind": "refund", "status": "success", "amount": str(paid), "currency": "EUR"}],
    }  # fmt: skip
    _, outcome = translate(body, "refunds/create")
    refund = outcome.messages[0]["properties"]
    assert refund["currency"] == "USD"
    assert refund["total"] <= shop
    assert refund["total"] == shop or paid < buyer
    assert abs(refund["total"] - paid * shop / buyer) <= Decimal("0.005")
    assert (refund["presentment_total"], refund["presentment_currency"]) == (paid, "EUR")


def test_a_shopify_refund_of_a_zero_decimal_currency_is_rounded_to_its_unit() -> None:
    money = {
        "shop_money": {"amount": "1000", "currency_code": "JPY"},
        "presentment_money": {"amount": "7.00", "currency_code": "USD"},
    }
    body = {
        "id": 1, "order_id": 2, "refund_line_items": [{"quantity": 1, "subtotal_set": money}],
        "transactions": [{"kind": "refund", "status": "success", "amount": "3.00", "currency": "USD"}],
    }  # fmt: skip
    _, outcome = translate(body, "refunds/create")
    assert outcome.messages[0]["properties"]["total"] == Decimal(429)
