"""The item page shows what belongs together with an item; the digest's card says it in a line."""

from __future__ import annotations

from dashboard_app import database, filled, opened, shown

from scout.clock import now
from scout.links import Link, LinkKind
from scout.store import Store

EARLIER, LATER, COPY = "arxiv:2512.00101", "arxiv:2512.00102", "arxiv:2512.00103"


def test_an_item_that_belongs_to_nothing_has_no_such_section() -> None:
    filled()
    assert "Belongs together" not in shown(opened("item", item=LATER))


def test_the_page_leads_to_the_thread_and_to_the_other_places() -> None:
    filled()
    with Store(database()) as store:
        links = [
            Link(LATER, EARLIER, LinkKind.SAME_AUTHORS, 0.4, "by <b>Ann Lee</b> too"),
            Link(COPY, LATER, LinkKind.DUPLICATE, 0.9, "the same text"),
        ]
        store.threads.save(links, [], now())
    app = opened("item", item=LATER)
    page = shown(app)
    assert "Belongs together" in page
    assert "Tells again what you know from" in page
    assert "<b>Ann Lee</b>" not in page
    assert f"The same text also at {COPY}" in page
    assert "earlier: same authors, by &lt;b&gt;Ann Lee" in page
    with Store(database()) as store:
        titles = [item.title for item in store.items.many([EARLIER, COPY]).values()]
    labels = [link.proto.label for link in app.get("page_link")]
    assert all(any(title[:20] in label for label in labels) for title in titles)


def test_the_page_says_what_it_follows_up() -> None:
    filled()
    with Store(database()) as store:
        store.threads.save([Link(LATER, EARLIER, LinkKind.SEQUEL, 1.0, "3 after 2")], [], now())
    page = shown(opened("item", item=LATER))
    assert "Follows up “Reward models disagree most" in page
    assert "(3 after 2)" in page
