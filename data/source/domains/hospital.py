"""A group of hospitals: wards, doctors, patients, appointments, medicines and prescriptions.

It covers outpatient appointments: no beds by the night, no diagnoses.
"""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    "hospital",
    "a group of hospitals with wards, doctors, patients, appointments and prescriptions",
    tables=(
        Table("ward", "ward", "wards", (
            Column("ward_id", "INTEGER", "key", "ward number"),
            Column("name", "TEXT", "label", "name"),
            Column("hospital", "TEXT", "category", "hospital", says="at {value}"),
            Column("floor", "INTEGER", "number", "floor", most="highest", least="lowest", additive=False),
            Column("beds", "INTEGER", "number", "number of beds", most="largest", least="smallest"),
        )),
        Table("doctor", "doctor", "doctors", (
            Column("doctor_id", "INTEGER", "key", "doctor number"),
            Column("name", "TEXT", "label", "name"),
            Column("ward_id", "INTEGER", "link", "ward", refers="ward.ward_id"),
            Column("specialty", "TEXT", "category", "specialty", says="specialised in {value}"),
            Column("hired_on", "DATE", "date", "hiring date", most="newest", least="longest-serving"),
            Column("salary", "INTEGER", "number", "salary", most="best paid", least="worst paid", required=False),
            Column("on_call", "INTEGER", "flag", "on-call mark", says="that are on call"),
        )),
        Table("patient", "patient", "patients", (
            Column("patient_id", "INTEGER", "key", "patient number"),
            Column("name", "TEXT", "label", "name"),
            Column("birth_date", "DATE", "date", "birth date", most="youngest", least="oldest"),
            Column("city", "TEXT", "category", "city", says="from {value}"),
            Column("blood_type", "TEXT", "category", "blood type", says="with blood type {value}", required=False),
            Column("allergy", "TEXT", "text", "allergy", required=False),
            Column("weight", "REAL", "number", "weight", most="heaviest", least="lightest",
                   required=False, additive=False),
        )),
        Table("appointment", "appointment", "appointments", (
            Column("appointment_id", "INTEGER", "key", "appointment number"),
            Column("patient_id", "INTEGER", "link", "patient", refers="patient.patient_id"),
            Column("doctor_id", "INTEGER", "link", "doctor", refers="doctor.doctor_id"),
            Column("visit_date", "DATE", "date", "visit date", most="latest", least="earliest"),
            Column("status", "TEXT", "category", "status", says="with the status {value}"),
            Column("minutes", "INTEGER", "number", "length in minutes", most="longest", least="shortest",
                   required=False),
            Column("fee", "REAL", "number", "fee", most="most expensive", least="cheapest"),
        )),
        Table("medicine", "medicine", "medicines", (
            Column("medicine_id", "INTEGER", "key", "medicine number"),
            Column("name", "TEXT", "label", "name"),
            Column("kind", "TEXT", "category", "kind", says="of the {value} kind"),
            Column("maker", "TEXT", "category", "maker", says="made by {value}"),
            Column("price", "REAL", "number", "price", most="most expensive", least="cheapest", required=False),
        )),
        Table("prescription", "prescription", "prescriptions", (
            Column("prescription_id", "INTEGER", "key", "prescription number"),
            Column("patient_id", "INTEGER", "link", "patient", refers="patient.patient_id"),
            Column("medicine_id", "INTEGER", "link", "medicine", refers="medicine.medicine_id"),
            Column("start_date", "DATE", "date", "start date", most="latest", least="earliest"),
            Column("days", "INTEGER", "number", "number of days", most="longest", least="shortest", required=False),
            Column("dose", "TEXT", "category", "dose", says="to be taken {value}"),
        )),
    ),
    relations=(
        Relation("doctor", "ward_id", "working in", "have"),
        Relation("appointment", "patient_id", "made by", "have made"),
        Relation("appointment", "doctor_id", "with", "have had"),
        Relation("prescription", "patient_id", "for", "have received"),
        Relation("prescription", "medicine_id", "for", "have"),
    ),
    bridges=(Bridge("prescription", "patient_id", "medicine_id", "have been given", "have been given to"),),
)

HOSPITALS = ("Saint Anne Hospital", "City General", "Lakeside Clinic", "Mercy Hospital", "Northern Infirmary",
             "University Hospital", "Green Cross Clinic")
SPECIALTIES = ("surgery", "cardiology", "paediatrics", "neurology", "oncology", "dermatology", "radiology", "psychiatry",
               "geriatrics", "urology")
PREFIXES = """Willow Maple Cedar Birch Rowan Hazel Juniper Aspen Laurel Magnolia Nightingale Curie Fleming Lister Pasteur
Seacole Jenner Hodgkin Galen Avicenna Kingfisher Robin Heron Swallow Skylark Wren Osprey""".split()
UNITS = ("Ward", "Wing", "Unit", "Suite", "Corridor", "Pavilion", "Day Ward", "Annex")
TOWNS = ("Glasgow", "Turin", "Helsinki", "Toronto", "Ankara", "Valencia", "Nairobi", "Munich", "Osaka", "Athens")
BLOOD = ("O+", "A+", "B+", "O-", "A-", "AB+", "B-", "AB-")
ALLERGIES = ("Penicillin", "Peanuts", "Latex", "Pollen", "Aspirin", "Shellfish", "Bee stings", "Iodine")
STATUSES = ("completed", "cancelled", "missed", "booked", "moved")
KINDS = {"antibiotic": "cillin mycin oxacin", "painkiller": "profen dol caine", "statin": "vastatin statin",
         "antiviral": "vir ciclovir", "antidepressant": "oxetine triptyline", "sedative": "zepam zolam",
         "blood thinner": "parin xaban", "steroid": "sone solone"}
STEMS = """Amo Cela Dori Feru Galo Hexa Ivo Keta Lumi Mero Nora Opti Pula Quori Rila Seto Tami Ula Vera Xeno Zila Brevo Cordi
Duro""".split()
MAKERS = ("Halden Pharma", "Sigma Labs", "Vitalis", "Nordmed", "Corvus Health", "Beacon Remedies")
DOSES = ("once a day", "twice a day", "with meals", "at night", "every eight hours", "when needed")


def _ward(rng: random.Random) -> tuple[str, str]:
    """A ward's name and hospital."""
    return f"{rng.choice(PREFIXES)} {rng.choice(UNITS)}", skewed(rng, HOSPITALS, 0.6)


def _medicine(rng: random.Random) -> tuple[str, str]:
    """A medicine's name, whose ending tells its kind, and the kind."""
    kind = skewed(rng, list(KINDS), 0.5)
    return rng.choice(STEMS) + rng.choice(KINDS[kind].split()), kind


def _pool() -> tuple[list[tuple[str, str]], list[str], list[str], list[tuple[str, str]]]:
    """The same wards, doctors, patients and medicines for every instance, so that a name asked for can recur."""
    rng = random.Random("hospital names")
    wards: dict[str, str] = {}
    for name, hospital in distinct(rng, _ward, 600):
        wards.setdefault(name, hospital)
    people = distinct(rng, person, 740)
    return list(wards.items())[:202], [f"Dr {name}" for name in people[:240]], people[240:], distinct(rng, _medicine, 205)


def _doctors(rng: random.Random, names: list[str], wards: int, variant: int) -> list[tuple]:
    """The doctors; about a quarter of the wards have none."""
    staffed = rng.sample(range(1, wards + 1), wards * 3 // 4)
    return [(number, name, skewed(rng, staffed, (0.4, 0.5, 0.4, 1.2)[variant]), skewed(rng, SPECIALTIES, 0.7),
             day(rng, "1992-01-01", "2024-06-30"),
             maybe(rng, rng.randrange(52, 190) * 1000, (0.06, 0.2, 0.0, 0.1)[variant]), int(rng.random() < 0.3))
            for number, name in enumerate(names, 1)]


def _patients(rng: random.Random, names: list[str], variant: int) -> list[tuple]:
    """The patients; most have no known allergy, and not every weight was taken."""
    healthy, unweighed, untyped = ((0.7, 0.1, 0.0), (0.5, 0.02, 0.2), (0.8, 0.3, 0.1), (0.4, 0.1, 0.1))[variant]
    made = []
    for number, name in enumerate(names, 1):
        born = day(rng, "1931-01-01", "2023-12-31")
        weight = rng.randrange(90, 220) / 2 if born < "2009" else rng.randrange(10, 90) / 2
        made.append((number, name, born, skewed(rng, TOWNS, 0.8), maybe(rng, skewed(rng, BLOOD, 1.0), untyped),
                     maybe(rng, recase(rng, skewed(rng, ALLERGIES, 0.8), 0.12), healthy), maybe(rng, weight, unweighed)))
    return made


def _appointment(rng: random.Random, number: int, patient: tuple, doctor: int, variant: int) -> tuple:
    """One appointment; only a completed one has a length, and what did not take place costs a third or nothing."""
    status = skewed(rng, STATUSES, 1.1)
    fee = rng.choice((45.0, 60.0, 60.0, 75.0, 90.0, 120.0, 180.0))
    minutes = rng.choice((10, 15, 15, 20, 20, 30, 30, 45, 60)) if status == "completed" else None
    charged = fee if status in ("completed", "booked") else rng.choice((0.0, fee / 3))
    return (number, patient[0], doctor, day(rng, max(patient[2], "2021-01-04"), "2024-12-20"), status,
            maybe(rng, minutes, (0.03, 0.2, 0.0, 0.1)[variant]), charged)


def _prescription(rng: random.Random, number: int, patient: tuple, medicine: int, variant: int) -> tuple:
    """One prescription; those for good have no number of days. A patient gets a medicine once at most."""
    return (number, patient[0], medicine, day(rng, max(patient[2], "2021-01-04"), "2024-12-20"),
            maybe(rng, rng.choice((3, 5, 7, 7, 10, 14, 14, 21, 28, 30, 60, 90)), (0.12, 0.3, 0.05, 0.2)[variant]),
            skewed(rng, DOSES, 0.8))


def _medicines(rng: random.Random, names: list[tuple[str, str]], variant: int) -> list[tuple]:
    """The medicines; those without a price are still being approved."""
    return [(number, name, kind, skewed(rng, MAKERS, 0.6),
             maybe(rng, round(rng.randrange(3, 95) + rng.choice((0.0, 0.5, 0.95)), 2), (0.05, 0.2, 0.0, 0.1)[variant]))
            for number, (name, kind) in enumerate(names, 1)]


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table for one instance; variant 0 is the main one, 2 has no appointments, 3 is small."""
    ward_names, doctor_names, patient_names, medicine_names = _pool()
    n_wards, n_doctors, n_patients, n_visits, n_medicines, n_scripts = (
        (202, 240, 500, 1200, 205, 1000), (40, 60, 120, 200, 50, 190), (35, 50, 100, 0, 45, 150),
        (30, 36, 50, 190, 32, 160))[variant]
    wards = [(number, name, hospital, rng.randint(0, 7), rng.randrange(4, 42, 2))
             for number, (name, hospital) in enumerate(rng.sample(ward_names, n_wards), 1)]
    doctors = _doctors(rng, rng.sample(doctor_names, n_doctors), n_wards, variant)
    patients = _patients(rng, rng.sample(patient_names, n_patients), variant)
    medicines = _medicines(rng, rng.sample(medicine_names, n_medicines), variant)
    power = (0.45, 0.5, 0.5, 1.2)[variant]
    seen, busy = rng.sample(patients, int(n_patients * 0.88)), rng.sample(range(1, n_doctors + 1), int(n_doctors * 0.9))
    visits = [_appointment(rng, number, skewed(rng, seen, power), skewed(rng, busy, power), variant)
              for number in range(1, n_visits + 1)]
    treated = rng.sample(patients, int(n_patients * 0.8))
    stocked = rng.sample(range(1, n_medicines + 1), int(n_medicines * 0.9))
    given = distinct(rng, lambda source: (skewed(source, treated, power), skewed(source, stocked, power)), n_scripts)
    scripts = [_prescription(rng, number, *pair, variant) for number, pair in enumerate(given, 1)]
    return {"ward": wards, "doctor": doctors, "patient": patients, "appointment": visits, "medicine": medicines,
            "prescription": scripts}
