"""An engineering company: offices, departments, employees and their managers, projects, and how salaries changed.

It covers people on the payroll: no customers, no contractors.
"""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    "company",
    "an engineering company with its offices, departments, employees, projects and salary changes",
    tables=(
        Table("office", "office", "offices", (
            Column("office_id", "INTEGER", "key", "office number"),
            Column("name", "TEXT", "label", "name"),
            Column("country", "TEXT", "category", "country", says="in {value}"),
            Column("area", "INTEGER", "number", "floor area", most="largest", least="smallest"),
            Column("opened_on", "DATE", "date", "opening date", most="newest", least="oldest"),
            Column("rent", "REAL", "number", "rent", most="most expensive", least="cheapest", required=False),
            Column("landlord", "TEXT", "text", "landlord", required=False),
        )),
        Table("department", "department", "departments", (
            Column("department_id", "INTEGER", "key", "department number"),
            Column("name", "TEXT", "label", "name"),
            Column("office_id", "INTEGER", "link", "office", refers="office.office_id"),
            Column("division", "TEXT", "category", "division", says="in the {value} division"),
            Column("budget", "INTEGER", "number", "budget", most="richest", least="poorest", required=False),
        )),
        Table("employee", "employee", "employees", (
            Column("employee_id", "INTEGER", "key", "employee number"),
            Column("name", "TEXT", "label", "name"),
            Column("department_id", "INTEGER", "link", "department", refers="department.department_id", required=False),
            Column("manager_id", "INTEGER", "link", "manager", refers="employee.employee_id", required=False),
            Column("job", "TEXT", "category", "job", says="with the job of {value}"),
            Column("hired_on", "DATE", "date", "hiring date", most="newest", least="longest-serving"),
            Column("salary", "INTEGER", "number", "salary", most="best paid", least="worst paid"),
            Column("remote", "INTEGER", "flag", "remote mark", says="that work from home"),
            Column("email", "TEXT", "text", "e-mail address", required=False),
        )),
        Table("project", "project", "projects", (
            Column("project_id", "INTEGER", "key", "project number"),
            Column("title", "TEXT", "label", "title"),
            Column("department_id", "INTEGER", "link", "department", refers="department.department_id"),
            Column("status", "TEXT", "category", "status", says="with the status {value}"),
            Column("start_date", "DATE", "date", "start date", most="newest", least="oldest"),
            Column("end_date", "DATE", "date", "end date", required=False),
            Column("cost", "REAL", "number", "cost", most="most expensive", least="cheapest"),
        )),
        Table("assignment", "assignment", "assignments", (
            Column("employee_id", "INTEGER", "link", "employee", refers="employee.employee_id"),
            Column("project_id", "INTEGER", "link", "project", refers="project.project_id"),
            Column("task", "TEXT", "category", "task", says="in {value}"),
            Column("hours", "INTEGER", "number", "hours", most="longest", least="shortest", required=False),
        )),
        Table("pay_rise", "pay rise", "pay rises", (
            Column("pay_rise_id", "INTEGER", "key", "pay rise number"),
            Column("employee_id", "INTEGER", "link", "employee", refers="employee.employee_id"),
            Column("granted_on", "DATE", "date", "date it was granted", most="latest", least="earliest"),
            Column("amount", "INTEGER", "number", "amount", most="largest", least="smallest"),
            Column("reason", "TEXT", "category", "reason", says="given for {value}", required=False),
        )),
    ),
    relations=(
        Relation("department", "office_id", "based in", "have"),
        Relation("employee", "department_id", "working in", "have"),
        Relation("employee", "manager_id", "managed by", "manage"),
        Relation("project", "department_id", "run by", "have run"),
        Relation("assignment", "employee_id", "of", "have had"),
        Relation("assignment", "project_id", "on", "have had"),
        Relation("pay_rise", "employee_id", "for", "have received"),
    ),
    bridges=(Bridge("assignment", "employee_id", "project_id", "work on", "employ"),),
    primary_keys=(("assignment", ("employee_id", "project_id")),),
)

LANDS = ("Germany", "Portugal", "Austria", "Switzerland", "Finland", "Greece", "Canada", "Peru", "Mexico", "Indonesia")
LANDLORDS = ("Stonegate Estates", "Weller Property", "Nordhus", "Civic Land Trust", "Baines and Daughters", "Urbanova")
STREETS = """Harbour Mill Station Castle Market Bridge Garden Canal Abbey Forest River Tower Chapel Quarry Lake Orchard Cathedral
Foundry College Meadow""".split()
PLACES = ("Street", "House", "Tower", "Court", "Yard", "Square", "Park", "Hub", "Works", "Gate", "Centre")
REGIONS = """Nordic Baltic Iberian Alpine Central Coastal Western Eastern Southern Northern Global Overseas Danube Atlantic
Adriatic""".split()
DIVISIONS = {
    "engineering": ("Bridges", "Tunnels", "Hydraulics", "Signals", "Surveying"),
    "sales": ("Sales", "Tenders", "Customer Care"),
    "operations": ("Logistics", "Maintenance", "Purchasing", "Fleet"),
    "finance": ("Payroll", "Accounting", "Audit"),
    "research": ("Materials Lab", "Simulation", "Prototypes"),
    "people": ("Recruiting", "Training"),
}
JOBS = {"engineer": 58, "technician": 41, "analyst": 52, "team leader": 72, "accountant": 49, "surveyor": 46, "planner": 50,
        "recruiter": 43, "director": 118}
STATUSES = ("finished", "running", "planned", "paused", "cancelled")
TASKS = ("design", "testing", "planning", "site work", "reporting", "training")
REASONS = ("performance", "promotion", "inflation", "long service", "relocation")
WORKS = ("Bridge", "Tunnel", "Dam", "Harbour", "Viaduct", "Tramway", "Pipeline", "Lighthouse", "Footbridge",
         "Ferry Terminal", "Water Tower", "Wind Farm", "Canal Lock", "Ring Road", "Airport Link", "Flood Gate")
SPOTS = """Esk Lune Morava Elbe Drava Tagus Ebro Oder Narva Sava Isar Dee Clyde Arno Meuse Aare Inn Loire Douro Vistula Tweed
Glomma""".split()
ACTIONS = ("Repair", "Study", "Extension", "Renewal", "Inspection")


def _building(rng: random.Random) -> str:
    """An office's name."""
    return f"{rng.choice(STREETS)} {rng.choice(PLACES)}"


def _department(rng: random.Random) -> tuple[str, str]:
    """A department's name and division."""
    division = skewed(rng, list(DIVISIONS), 0.5)
    name = f"{rng.choice(REGIONS)} {rng.choice(DIVISIONS[division])}"
    return name + rng.choice(("", "", " West", " East", " Two")), division


def _project(rng: random.Random) -> str:
    """A project's title."""
    return rng.choice(("{spot} {work}", "{spot} {work} {action}", "{work} {action} {spot}")).format(
        spot=rng.choice(SPOTS), work=rng.choice(WORKS), action=rng.choice(ACTIONS))


def _pool() -> tuple[list[str], list[tuple[str, str]], list[str], list[str]]:
    """The same offices, departments, people and projects for every instance, so that a name asked for can recur."""
    rng = random.Random("company names")
    return (distinct(rng, _building, 204), distinct(rng, _department, 240), distinct(rng, person, 640),
            distinct(rng, _project, 300))


def _employees(rng: random.Random, names: list[str], departments: int, variant: int) -> list[tuple]:
    """The employees, managers before those they manage; the first one has no manager."""
    staffed = rng.sample(range(1, departments + 1), departments * 5 // 6)
    bosses = max(4, len(names) // 7)
    homeless, silent, power = ((0.0, 0.1, 0.4), (0.15, 0.02, 0.5), (0.05, 0.3, 0.4), (0.1, 0.1, 1.2))[variant]
    jobs = list(JOBS)
    made = []
    for number, name in enumerate(names, 1):
        job = "director" if number <= bosses // 8 + 1 else skewed(rng, jobs[:-1], 0.7)
        manager = None if number == 1 or rng.random() < 0.03 else skewed(rng, range(1, min(number, bosses)), power)
        email = name.lower().replace(" ", ".") + "@esk-works.example"
        made.append((number, name, maybe(rng, skewed(rng, staffed, power), homeless), manager, job,
                     day(rng, "1996-01-01", "2024-06-30"), (JOBS[job] + rng.randrange(-8, 30)) * 1000,
                     int(rng.random() < 0.25), maybe(rng, email, silent)))
    return made


def _projects(rng: random.Random, titles: list[str], departments: int, variant: int) -> list[tuple]:
    """The projects; only finished and cancelled ones have an end date, and not always."""
    running = rng.sample(range(1, departments + 1), departments * 2 // 3)
    made = []
    for number, title in enumerate(titles, 1):
        status, start = skewed(rng, STATUSES, 0.7), day(rng, "2016-01-01", "2024-06-30")
        ended = maybe(rng, day(rng, start, "2024-12-31"), (0.08, 0.4, 0.0, 0.2)[variant])
        made.append((number, title, skewed(rng, running, (0.4, 0.4, 0.4, 1.2)[variant]), status, start,
                     ended if status in ("finished", "cancelled") else None, rng.randrange(20, 900) * 2500.0))
    return made


def _offices(rng: random.Random, names: list[str], variant: int) -> list[tuple]:
    """The offices; those without a rent are owned and have no landlord."""
    made = []
    for number, name in enumerate(names, 1):
        rent = maybe(rng, rng.randrange(16, 400) * 125.0, (0.15, 0.02, 0.3, 0.1)[variant])
        landlord = None if rent is None else maybe(rng, recase(rng, skewed(rng, LANDLORDS, 0.7), 0.08), 0.05)
        made.append((number, name, skewed(rng, LANDS, 0.8), rng.randrange(120, 4000, 20),
                     day(rng, "1978-01-01", "2023-12-31"), rent, landlord))
    return made


def _pay_rises(rng: random.Random, employees: list[tuple], variant: int, count: int) -> list[tuple]:
    """The pay rises, after each employee was hired; about a quarter of the employees never got one."""
    lucky = rng.sample(employees, len(employees) * 3 // 4)
    power, unsaid = (0.4, 0.5, 0.4, 1.1)[variant], (0.0, 0.2, 0.1, 0.1)[variant]
    chosen = [skewed(rng, lucky, power) for _ in range(count)]
    return [(number, employee[0], day(rng, max(employee[5], "2018-01-01"), "2024-12-31"),
             rng.choice((500, 1000, 1000, 1500, 2000, 2500, 3000, 5000, 8000)),
             maybe(rng, skewed(rng, REASONS, 0.8), unsaid)) for number, employee in enumerate(chosen, 1)]


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table for one instance; variant 0 is the main one, 2 has no pay rises, 3 is small and skewed."""
    office_names, department_names, people, titles = _pool()
    n_offices, n_departments, n_employees, n_projects, n_assignments, n_rises = (
        (204, 240, 640, 300, 1200, 1000), (40, 50, 150, 60, 200, 190), (35, 40, 120, 50, 150, 0),
        (30, 32, 60, 35, 160, 150))[variant]
    offices = _offices(rng, rng.sample(office_names, n_offices), variant)
    used = rng.sample(range(1, n_offices + 1), int(n_offices * 0.85))
    departments = [(number, name, skewed(rng, used, (0.4, 0.5, 0.4, 1.2)[variant]), division,
                    maybe(rng, rng.randrange(8, 400) * 5000, (0.1, 0.2, 0.0, 0.15)[variant]))
                   for number, (name, division) in enumerate(rng.sample(department_names, n_departments), 1)]
    employees = _employees(rng, rng.sample(people, n_employees), n_departments, variant)
    projects = _projects(rng, rng.sample(titles, n_projects), n_departments, variant)
    power = (0.4, 0.5, 0.4, 0.8)[variant]
    busy = rng.sample(range(1, n_employees + 1), int(n_employees * 0.85))
    pairs = distinct(rng, lambda source: (skewed(source, busy, power), source.randint(1, n_projects - 3)), n_assignments)
    assignments = [(*pair, skewed(rng, TASKS, 0.7), maybe(rng, rng.randrange(4, 240, 4), (0.06, 0.2, 0.0, 0.1)[variant]))
                   for pair in sorted(pairs)]
    return {"office": offices, "department": departments, "employee": employees, "project": projects,
            "assignment": assignments, "pay_rise": _pay_rises(rng, employees, variant, n_rises)}
