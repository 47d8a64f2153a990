"""A shop for house and garden: suppliers, products, customers, their orders with lines, and reviews.

The price sits on the product (column ``unit price``, with a space); a line holds a quantity and perhaps a discount
in percent. Weights are in kilograms. Names come from fixed pools, so that a value met in the main
instance is often met in the others.
"""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import LAST_NAMES, day, distinct, maybe, person, recase, skewed

SUPPLIER = Table("supplier", "supplier", "suppliers", (
    Column("supplier_id", "INTEGER", "key", "supplier id"),
    Column("name", "TEXT", "label", "name"),
    Column("country", "TEXT", "category", "country", says="from {value}"),
    Column("contract_date", "DATE", "date", "contract date", most="newest", least="oldest"),
    Column("rating", "REAL", "number", "rating", most="best rated", least="worst rated", required=False,
           additive=False),
))

PRODUCT = Table("product", "product", "products", (
    Column("product_id", "INTEGER", "key", "product id"),
    Column("name", "TEXT", "label", "name"),
    Column("category", "TEXT", "category", "category", says="in the {value} category"),
    Column("supplier_id", "INTEGER", "link", "supplier", refers="supplier.supplier_id"),
    Column("unit price", "REAL", "number", "unit price", most="most expensive", least="cheapest"),
    Column("stock", "INTEGER", "number", "stock"),
    Column("weight", "REAL", "number", "weight", most="heaviest", least="lightest", required=False),
    Column("discontinued", "INTEGER", "flag", "discontinued mark", says="that are discontinued"),
))

CUSTOMER = Table("customer", "customer", "customers", (
    Column("customer_id", "INTEGER", "key", "customer id"),
    Column("name", "TEXT", "label", "name"),
    Column("city", "TEXT", "category", "city", says="from {value}"),
    Column("signup_date", "DATE", "date", "signup date", most="newest", least="oldest"),
    Column("phone", "TEXT", "text", "phone number", required=False),
    Column("newsletter", "INTEGER", "flag", "newsletter mark", says="that get the newsletter"),
))

ORDERS = Table("orders", "order", "orders", (
    Column("order_id", "INTEGER", "key", "order id"),
    Column("reference", "TEXT", "label", "reference"),
    Column("customer_id", "INTEGER", "link", "customer", refers="customer.customer_id"),
    Column("order_date", "DATE", "date", "order date", most="latest", least="earliest"),
    Column("shipped_date", "DATE", "date", "shipping date", required=False),
    Column("payment", "TEXT", "category", "payment method", says="paid by {value}"),
    Column("status", "TEXT", "category", "status", says="with the status {value}"),
    Column("shipping_cost", "REAL", "number", "shipping cost"),
))

ORDER_LINE = Table("order_line", "order line", "order lines", (
    Column("order_id", "INTEGER", "link", "order", refers="orders.order_id"),
    Column("product_id", "INTEGER", "link", "product", refers="product.product_id"),
    Column("quantity", "INTEGER", "number", "quantity", most="largest", least="smallest"),
    Column("discount", "INTEGER", "number", "discount", required=False, additive=False),
))

REVIEW = Table("review", "review", "reviews", (
    Column("review_id", "INTEGER", "key", "review id"),
    Column("product_id", "INTEGER", "link", "product", refers="product.product_id"),
    Column("customer_id", "INTEGER", "link", "customer", refers="customer.customer_id"),
    Column("stars", "INTEGER", "number", "number of stars", most="best", least="worst", additive=False),
    Column("review_date", "DATE", "date", "review date", most="newest", least="oldest"),
    Column("comment", "TEXT", "text", "comment", required=False),
))

DOMAIN = Domain(
    "shop",
    "a house and garden shop with suppliers, products, customers, orders and reviews",
    (SUPPLIER, PRODUCT, CUSTOMER, ORDERS, ORDER_LINE, REVIEW),
    (
        Relation("product", "supplier_id", "supplied by", "supply"),
        Relation("orders", "customer_id", "placed by", "have placed"),
        Relation("order_line", "order_id", "in", "have"),
        Relation("order_line", "product_id", "for", "appear in"),
        Relation("review", "product_id", "about", "have"),
        Relation("review", "customer_id", "written by", "have written"),
    ),
    (Bridge("order_line", "order_id", "product_id", "include", "are part of"),),
    (("order_line", ("order_id", "product_id")),),
)

COUNTRIES = ("Germany", "Poland", "Italy", "Vietnam", "Portugal", "Turkey", "Sweden", "India")
CITIES = ("Hamburg", "Lyon", "Dublin", "Porto", "Vienna", "Prague", "Oslo", "Turin", "Seville", "Tallinn")
THINGS = {
    "kitchen": "Kettle, Frying Pan, Bread Knife, Mixing Bowl, Teapot, Grater, Cutting Board, Whisk",
    "garden": "Watering Can, Rake, Spade, Flower Pot, Hose, Pruning Shears, Bird Feeder, Trellis",
    "furniture": "Bookcase, Stool, Side Table, Armchair, Bench, Coat Rack, Desk, Wardrobe",
    "lighting": "Desk Lamp, Lantern, Ceiling Light, Candle Holder, Floor Lamp, String Lights",
    "bathroom": "Towel, Soap Dish, Bath Mat, Mirror, Laundry Basket, Shower Curtain",
    "tools": "Hammer, Screwdriver Set, Hand Saw, Drill, Tape Measure, Ladder, Toolbox",
    "textiles": "Blanket, Cushion, Curtain, Tablecloth, Rug, Pillow",
}
STYLES = """Oak, Steel, Copper, Bamboo, Classic, Small, Large, Blue, Green, White, Ceramic, Folding, Nordic, Rustic, Travel,
Handmade""".replace("\n", " ").split(", ")
FIRMS = ("& Sons", "Supplies", "Trading", "Works", "Home", "Workshop", "Brothers")
PAYMENTS = ("card", "invoice", "transfer", "voucher", "cash")
STATUSES = ("delivered", "shipped", "open", "returned", "cancelled")
COMMENTS = """Does what it should; Lovely colour; Broke after a week; Great value for the price; Smaller than expected;
Arrived late; Would buy again; The handle is loose; My mother loves it; Not worth the money; Sturdy and well made; Looks
cheap; Perfect gift; Hard to clean; Exactly as described""".replace("\n", " ").split("; ")

SIZES = {
    0: {"supplier": 200, "product": 300, "customer": 320, "orders": 600, "order_line": 1200, "review": 500},
    1: {"supplier": 40, "product": 80, "customer": 70, "orders": 120, "order_line": 200, "review": 100},
    2: {"supplier": 35, "product": 70, "customer": 60, "orders": 90, "order_line": 150, "review": 0},
    3: {"supplier": 30, "product": 40, "customer": 36, "orders": 70, "order_line": 140, "review": 80},
}


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """Rows of every table, in column order; ``variant`` 0 is the main instance."""
    sizes = SIZES[variant]
    power = 1.4 if variant == 3 else 0.7
    suppliers = _suppliers(rng, sizes["supplier"])
    products = _products(rng, sizes["product"], len(suppliers), power)
    customers = _customers(rng, sizes["customer"])
    orders = _orders(rng, sizes["orders"], customers, power)
    lines = _lines(rng, sizes["order_line"], len(orders), len(products), power)
    reviews = _reviews(rng, sizes["review"], len(products), customers, power)
    return {"supplier": suppliers, "product": products, "customer": customers, "orders": orders,
            "order_line": lines, "review": reviews}


def _popular(rng: random.Random, size: int, count: int, power: float) -> list[int]:
    """``count`` keys from 1..size: some never, a few very often."""
    keys = rng.sample(range(1, size + 1), max(1, int(size * 0.85)))
    return rng.choices(keys, [1 / (rank + 1) ** power for rank in range(len(keys))], k=count)


def _suppliers(rng: random.Random, count: int) -> list[tuple]:
    pool = distinct(random.Random("suppliers"),
                    lambda source: f"{source.choice(LAST_NAMES)} {source.choice(FIRMS)}", 200)
    return [
        (key, name, skewed(rng, COUNTRIES, 0.7), day(rng, "2008-01-01", "2023-06-30"),
         maybe(rng, rng.randrange(20, 51, 5) / 10, 0.15))
        for key, name in enumerate(rng.sample(pool, count), 1)
    ]


def _thing(rng: random.Random) -> tuple[str, str]:
    """A product's name and its category."""
    category = skewed(rng, list(THINGS), 0.6)
    return f"{rng.choice(STYLES)} {rng.choice(THINGS[category].split(', '))}", category


def _products(rng: random.Random, count: int, suppliers: int, power: float) -> list[tuple]:
    chosen = rng.sample(distinct(random.Random("products"), _thing, 300), count)
    makers = _popular(rng, suppliers, count, power)
    found = []
    for key, ((name, category), maker) in enumerate(zip(chosen, makers), 1):
        scale = 8 if category == "furniture" else 1
        price = rng.choice((3.5, 4.99, 7.5, 9.99, 12.5, 14.99, 19.99, 24.5, 34.99)) * scale
        found.append((key, name, category, maker, round(price, 2), rng.choice((0, 0, 3, 5, 8, 12, 20, 40, 75, 120)),
                      maybe(rng, round(rng.uniform(0.1, 3.0) * scale, 1), 0.1), int(rng.random() < 0.12)))
    return found


def _customers(rng: random.Random, count: int) -> list[tuple]:
    pool = distinct(random.Random("customers"), person, 320)
    return [
        (key, name, recase(rng, skewed(rng, CITIES, 0.8)), day(rng, "2018-01-01", "2023-03-31"),
         maybe(rng, f"0{rng.randint(30, 99)} {rng.randint(100000, 999999)}", 0.25), int(rng.random() < 0.55))
        for key, name in enumerate(rng.sample(pool, count), 1)
    ]


def _orders(rng: random.Random, count: int, customers: list, power: float) -> list[tuple]:
    pool = distinct(random.Random("orders"), lambda source: f"R-{source.randint(10000, 99999)}", 600)
    buyers = _popular(rng, len(customers), count, power)
    found = []
    for key, (reference, buyer) in enumerate(zip(rng.sample(pool, count), buyers), 1):
        status = skewed(rng, STATUSES, 1.2)
        ordered = day(rng, max("2022-01-01", customers[buyer - 1][3]), "2024-12-15")
        sent = None if status in ("open", "cancelled") else _later(rng, ordered)
        found.append((key, reference, buyer, ordered, sent, skewed(rng, PAYMENTS, 0.9), status,
                      rng.choice((0.0, 0.0, 3.9, 4.9, 4.9, 6.5, 12.0, 25.0))))
    return found


def _later(rng: random.Random, ordered: str) -> str:
    """A date in the same month or early in the next one."""
    year, month, date = (int(part) for part in ordered.split("-"))
    if date <= 24:
        return f"{year}-{month:02}-{rng.randint(date, min(28, date + 9)):02}"
    year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return f"{year}-{month:02}-{rng.randint(1, 6):02}"


def _lines(rng: random.Random, count: int, orders: int, products: int, power: float) -> list[tuple]:
    pairs: dict = {}
    while len(pairs) < count:
        drawn = zip(_popular(rng, orders, count, power * 0.4), _popular(rng, products, count, power))
        pairs.update(dict.fromkeys(drawn))
    return [(order, product, rng.choice((1, 1, 1, 2, 2, 3, 4, 6, 12)), maybe(rng, rng.choice((5, 5, 10, 15, 25)), 0.75))
            for order, product in list(pairs)[:count]]


def _reviews(rng: random.Random, count: int, products: int, customers: list, power: float) -> list[tuple]:
    about, writers = _popular(rng, products, count, power), _popular(rng, len(customers), count, power)
    return [
        (key, product, writer, skewed(rng, (5, 4, 3, 1, 2), 0.7), day(rng, customers[writer - 1][3], "2024-12-28"),
         maybe(rng, rng.choice(COMMENTS), 0.3))
        for key, (product, writer) in enumerate(zip(about, writers), 1)
    ]
