"""A warehouse: orders against stock. Two tasks: ship what can be shipped, in order; bring shelves back to their mark."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from evals.suites.worlds import PAGE, PAGE_NUMBER, Deed, Refused, State, World, call, found, paged
from scout.serving.messages import ToolCall

PRODUCTS = ("anchor", "bellows", "candle", "drill", "easel", "funnel", "gasket", "hinge", "inkwell", "jigsaw", "kettle", "ladder",
            "mallet", "needle", "oilcan", "pulley")  # fmt: skip
PACK = 10


def _stock(state: State, given: Mapping[str, Any]) -> str:
    shelf = found(state["shelves"], given["product"], "product")
    return f"{given['product']}: {shelf['units']} units on the shelf, mark {shelf['mark']}"


def _products(state: State, given: Mapping[str, Any]) -> str:
    return paged(sorted(state["shelves"]), given["page"])


def _orders(state: State, given: Mapping[str, Any]) -> str:
    return paged([f"{id} [{each['status']}]" for id, each in state["orders"].items()], given["page"])


def _order(state: State, given: Mapping[str, Any]) -> str:
    each = found(state["orders"], given["order"], "order")
    return f"{given['order']} [{each['status']}]: " + ", ".join(
        f"{units} {name}" for name, units in each["lines"].items()
    )


def _new(state: State, id: str) -> dict[str, Any]:
    each: dict[str, Any] = found(state["orders"], id, "order")
    if each["status"] != "new":
        raise Refused(f"{id} is {each['status']} already")
    return each


def _ship(state: State, given: Mapping[str, Any]) -> str:
    each = _new(state, given["order"])
    for name, units in each["lines"].items():
        if state["shelves"][name]["units"] < units:
            raise Refused(f"{state['shelves'][name]['units']} {name} are left, {units} are ordered")
    for name, units in each["lines"].items():
        state["shelves"][name]["units"] -= units
    each["status"] = "shipped"
    return "shipped"


def _postpone(state: State, given: Mapping[str, Any]) -> str:
    _new(state, given["order"])["status"] = "postponed"
    return "postponed"


def _buy(state: State, given: Mapping[str, Any]) -> str:
    found(state["shelves"], given["product"], "product")
    state["bought"][given["product"]] = state["bought"].get(given["product"], 0) + given["packs"]
    return "bought"


PRODUCT, ORDER = {"type": "string", "description": "a product's name"}, {"type": "string", "description": "such as O12"}
DEEDS = (
    Deed.of("list_products", "Lists the products, five a page.", {"page": PAGE_NUMBER}, _products),
    Deed.of("check_stock", "Says how many units of a product there are, and the shelf's mark.", {"product": PRODUCT}, _stock),
    Deed.of("list_orders", "Lists the orders, five a page, oldest first.", {"page": PAGE_NUMBER}, _orders),
    Deed.of("read_order", "Says what an order asks for.", {"order": ORDER}, _order),
    Deed.of("ship_order", "Ships a new order whole; the units leave the shelves.", {"order": ORDER}, _ship),
    Deed.of("postpone_order", "Postpones a new order.", {"order": ORDER}, _postpone),
    Deed.of(
        "buy_packs", f"Buys packs of {PACK} units of a product.",
        {"product": PRODUCT, "packs": {"type": "integer", "minimum": 1, "maximum": 1000}}, _buy,
    ),
)  # fmt: skip

SHIP = """You run a warehouse, with tools. Go through the new orders, oldest first. Ship an order if all its units are on the
shelves at that moment, counting what earlier orders took; otherwise postpone it. Orders that are not new stay as they
are. Buy nothing. When all is done, end your reply with a line `Answer: ` and how many orders you shipped."""
REFILL = """You run a warehouse, with tools. For each product whose units on the shelf are below the shelf's mark, buy the least
number of packs of {pack} units that brings it to its mark or above, in one purchase. Buy nothing for the others and
leave the orders alone. When all is done, end your reply with a line `Answer: ` and the number of packs bought in all."""


def ship(draw: random.Random, level: int) -> tuple[str, World]:
    """Orders that compete for what is on the shelves."""
    names = sorted(draw.sample(PRODUCTS, (2, 4, 6, 9)[level]))
    shelves = {name: {"units": draw.randrange(6, 18 + 6 * level), "mark": 10} for name in names}
    orders, right, left, shipped = {}, [], {name: shelf["units"] for name, shelf in shelves.items()}, 0
    number = draw.randrange(10, 40)
    for place in range((1, 9, 16, 30)[level]):
        number += draw.randrange(1, 4)
        lines = {name: draw.randrange(1, 9) for name in sorted(draw.sample(names, draw.randrange(1, 3)))}
        status = "shipped" if place and draw.random() < 0.15 else "new"
        orders[f"O{number}"] = {"status": status, "lines": lines}
        if status == "new" and all(left[name] >= units for name, units in lines.items()):
            right.append(call("ship_order", order=f"O{number}"))
            left = {name: left[name] - lines.get(name, 0) for name in names}
            shipped += 1
        elif status == "new":
            right.append(call("postpone_order", order=f"O{number}"))
    state: State = {"shelves": shelves, "orders": orders, "bought": {}}
    looking = [*_pages("list_orders", orders), *(call("read_order", order=id) for id in orders)]
    looking += [call("check_stock", product=name) for name in names]
    return SHIP, World("", DEEDS, state, (*looking, *right), str(shipped))


def refill(draw: random.Random, level: int) -> tuple[str, World]:
    """Shelves of which some are below their mark."""
    names = sorted(draw.sample(PRODUCTS, (1, 8, 12, 16)[level]))
    shelves = {
        name: {"units": draw.randrange(0, 60), "mark": draw.randrange(1, 12) * 10 + draw.randrange(3)} for name in names
    }
    shelves[names[0]]["units"] = shelves[names[0]]["mark"] - draw.randrange(1, 3)
    packs = {name: -(-(shelf["mark"] - shelf["units"]) // PACK) for name, shelf in shelves.items()}
    right = [call("buy_packs", product=name, packs=wanted) for name, wanted in packs.items() if wanted > 0]
    state: State = {"shelves": shelves, "orders": {}, "bought": {}}
    looking = [*_pages("list_products", shelves), *(call("check_stock", product=name) for name in names)]
    said = str(sum(wanted for wanted in packs.values() if wanted > 0))
    return REFILL.format(pack=PACK), World("", DEEDS, state, (*looking, *right), said)


def _pages(tool: str, rows: Mapping[str, Any]) -> list[ToolCall]:
    return [call(tool, page=page) for page in range(1, 2 + (len(rows) - 1) // PAGE)]
