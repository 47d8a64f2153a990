"""A university: instructors, students, courses with prerequisites, and who took which course with what grade.

A course has at most one prerequisite (a link to another course of the same table). Names and titles come from fixed
pools, so that a value met in the main instance is often met in the others.
"""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import CITIES, day, distinct, maybe, person, recase, skewed

INSTRUCTOR = Table("instructor", "instructor", "instructors", (
    Column("instructor_id", "INTEGER", "key", "instructor id"),
    Column("name", "TEXT", "label", "name"),
    Column("department", "TEXT", "category", "department", says="in the {value} department"),
    Column("position", "TEXT", "category", "position", says="with the position of {value}"),
    Column("salary", "INTEGER", "number", "salary", most="best paid", least="worst paid", required=False),
    Column("hire_date", "DATE", "date", "hiring date", most="newest", least="longest serving"),
))

STUDENT = Table("student", "student", "students", (
    Column("student_id", "INTEGER", "key", "student id"),
    Column("name", "TEXT", "label", "name"),
    Column("major", "TEXT", "category", "major", says="majoring in {value}"),
    Column("advisor_id", "INTEGER", "link", "advisor", refers="instructor.instructor_id", required=False),
    Column("birth_date", "DATE", "date", "birth date", most="youngest", least="oldest"),
    Column("hometown", "TEXT", "text", "home town", required=False),
    Column("entry_year", "INTEGER", "number", "entry year", additive=False),
    Column("scholarship", "INTEGER", "number", "scholarship", most="best funded", least="least funded",
           required=False),
))

COURSE = Table("course", "course", "courses", (
    Column("course_id", "INTEGER", "key", "course id"),
    Column("title", "TEXT", "label", "title"),
    Column("department", "TEXT", "category", "department", says="in the {value} department"),
    Column("level", "TEXT", "category", "level", says="at the {value} level"),
    Column("credits", "INTEGER", "number", "number of credits"),
    Column("instructor_id", "INTEGER", "link", "instructor", refers="instructor.instructor_id"),
    Column("prerequisite_id", "INTEGER", "link", "prerequisite", refers="course.course_id", required=False),
    Column("online", "INTEGER", "flag", "online mark", says="that are taught online"),
))

ENROLLMENT = Table("enrollment", "enrollment", "enrollments", (
    Column("student_id", "INTEGER", "link", "student", refers="student.student_id"),
    Column("course_id", "INTEGER", "link", "course", refers="course.course_id"),
    Column("term", "TEXT", "category", "term", says="in the {value} term"),
    Column("enrolled_date", "DATE", "date", "enrollment date", most="latest", least="earliest"),
    Column("grade", "INTEGER", "number", "grade", most="best graded", least="worst graded", required=False,
           additive=False),
))

DOMAIN = Domain(
    "university",
    "a university with its instructors, students, courses and enrollments",
    (INSTRUCTOR, STUDENT, COURSE, ENROLLMENT),
    (
        Relation("student", "advisor_id", "advised by", "advise"),
        Relation("course", "instructor_id", "taught by", "teach"),
        Relation("course", "prerequisite_id", "building directly on", "lead directly to"),
        Relation("enrollment", "student_id", "made by", "have made"),
        Relation("enrollment", "course_id", "in", "have"),
    ),
    (Bridge("enrollment", "student_id", "course_id", "take", "are taken by"),),
    (("enrollment", ("student_id", "course_id")),),
)

SUBJECTS = {
    "Computer Science": "Algorithms, Databases, Operating Systems, Computer Networks, Machine Learning, Compilers, "
                        "Computer Graphics, Cryptography",
    "Mathematics": "Linear Algebra, Real Analysis, Number Theory, Probability, Topology, Statistics, Graph Theory, "
                   "Differential Equations",
    "Biology": "Genetics, Ecology, Cell Biology, Microbiology, Evolution, Botany, Zoology, Immunology",
    "History": "Ancient Rome, Medieval Europe, Modern Africa, the Silk Road, the Industrial Age, Colonial America, "
               "the Ottoman Empire, Imperial China",
    "Economics": "Game Theory, Labour Markets, Public Finance, World Trade, Econometrics, Money and Banking, "
                 "Development Policy, Behavioural Economics",
    "Physics": "Mechanics, Optics, Quantum Theory, Relativity, Thermodynamics, Astrophysics, Acoustics, "
               "Solid State Physics",
    "Literature": "the Modern Novel, Shakespeare, World Poetry, Greek Drama, the Short Story, Literary Theory, "
                  "Travel Writing, Children's Books",
    "Philosophy": "Ethics, Logic, Metaphysics, Political Thought, Philosophy of Mind, Aesthetics, "
                  "Theory of Knowledge, Philosophy of Science",
}
LEVELS = {"introductory": ("Introduction to", "Foundations of"), "intermediate": ("Methods in", "Topics in"),
          "advanced": ("Advanced Studies in",), "graduate": ("Graduate Seminar on",)}
POSITIONS = ("lecturer", "assistant professor", "associate professor", "full professor")
PAY = {"lecturer": 48000, "assistant professor": 61000, "associate professor": 74000, "full professor": 92000}
TERMS = ("autumn 2023", "spring 2024", "autumn 2024", "spring 2023", "autumn 2022", "spring 2022")

SIZES = {
    0: {"instructor": 200, "student": 480, "course": 240, "enrollment": 1200},
    1: {"instructor": 50, "student": 110, "course": 80, "enrollment": 200},
    2: {"instructor": 45, "student": 80, "course": 60, "enrollment": 0},
    3: {"instructor": 30, "student": 50, "course": 36, "enrollment": 130},
}


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """Rows of every table, in column order; ``variant`` 0 is the main instance."""
    sizes = SIZES[variant]
    power = 1.4 if variant == 3 else 0.7
    instructors = _instructors(rng, sizes["instructor"])
    students = _students(rng, sizes["student"], len(instructors), power)
    courses = _courses(rng, sizes["course"], len(instructors), power)
    enrollments = _enrollments(rng, sizes["enrollment"], len(students), len(courses), power)
    return {"instructor": instructors, "student": students, "course": courses, "enrollment": enrollments}


def _popular(rng: random.Random, size: int, count: int, power: float) -> list[int]:
    """``count`` keys from 1..size: some never, a few very often."""
    keys = rng.sample(range(1, size + 1), max(1, int(size * 0.85)))
    return rng.choices(keys, [1 / (rank + 1) ** power for rank in range(len(keys))], k=count)


def _instructors(rng: random.Random, count: int) -> list[tuple]:
    pool = distinct(random.Random("instructors"), person, 200)
    found = []
    for key, name in enumerate(rng.sample(pool, count), 1):
        position = skewed(rng, POSITIONS, 0.5)
        salary = PAY[position] + rng.randrange(-6, 15) * 1000
        found.append((key, name, skewed(rng, list(SUBJECTS), 0.6), position, maybe(rng, salary, 0.08),
                      day(rng, "1989-09-01", "2024-08-31")))
    return found


def _students(rng: random.Random, count: int, instructors: int, power: float) -> list[tuple]:
    pool = distinct(random.Random("students"), person, 480)
    advisors = _popular(rng, instructors, count, power)
    found = []
    for key, name in enumerate(rng.sample(pool, count), 1):
        year = skewed(rng, (2023, 2022, 2021, 2024, 2020), 0.4)
        scholarship = skewed(rng, (1000, 2000, 500, 3500, 5000, 8000), 0.7)
        hometown = recase(rng, skewed(rng, CITIES[:24], 0.6))
        found.append((key, name, skewed(rng, list(SUBJECTS), 0.7), maybe(rng, advisors[key - 1], 0.1),
                      day(rng, f"{year - 23}-01-01", f"{year - 18}-08-31"), maybe(rng, hometown, 0.06), year,
                      maybe(rng, scholarship, 0.6)))
    return found


def _course(rng: random.Random) -> tuple[str, str, str]:
    """Title, department and level that fit together."""
    department = skewed(rng, list(SUBJECTS), 0.4)
    level = skewed(rng, list(LEVELS), 0.5)
    return f"{rng.choice(LEVELS[level])} {rng.choice(SUBJECTS[department].split(', '))}", department, level


def _courses(rng: random.Random, count: int, instructors: int, power: float) -> list[tuple]:
    """The prerequisite comes from the department's courses at a lower level."""
    chosen = rng.sample(distinct(random.Random("courses"), _course, 240), count)
    order = list(LEVELS)
    teachers = _popular(rng, instructors, count, power)
    found = []
    for key, (title, department, level) in enumerate(chosen, 1):
        lower = [other for other, (_, unit, step) in enumerate(chosen, 1)
                 if unit == department and order.index(step) < order.index(level)]
        needs = rng.choice(lower[:6]) if lower and rng.random() < 0.75 else None
        found.append((key, title, department, level, rng.choice((3, 4, 5, 5, 6, 10)), teachers[key - 1], needs,
                      int(rng.random() < 0.25)))
    return found


def _enrollments(rng: random.Random, count: int, students: int, courses: int, power: float) -> list[tuple]:
    pairs: dict = {}
    while len(pairs) < count:
        drawn = zip(_popular(rng, students, count, power * 0.8), _popular(rng, courses, count, power))
        pairs.update(dict.fromkeys(drawn))
    found = []
    for student, course in list(pairs)[:count]:
        term = skewed(rng, TERMS, 0.5)
        year = term.split()[1]
        first, last = ("01-10", "02-20") if term.startswith("spring") else ("08-20", "09-30")
        grade = min(100, max(28, round(rng.gauss(71, 13))))
        found.append((student, course, term, day(rng, f"{year}-{first}", f"{year}-{last}"), maybe(rng, grade, 0.12)))
    return found
