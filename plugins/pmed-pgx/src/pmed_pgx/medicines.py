"""Feature step: which medicines act on which enzyme today, what that makes of the phenotypes, and what is taken.

``modifiers:<GENE>`` lists the drugs that act on a gene's product, ``taking:<class>`` the drugs of a class that are
taken (with "|perhaps taken" or "|to begin" behind the name where that is so), or ended so lately that they still count
(`lasting`), ``allergic-to`` the allergens on record,
each joined by ";" and in alphabetical order; "" where there are none,
null where there is no record, where it neither lists any medicine (allergy) nor says that there is none, and where one
had to be left out while reading. One that was not recognised is left out, and pmed's cautions name it.
``daily-dose:<drug>`` (mg) and ``days-taken:<drug>`` are of what is taken; the days are 0 of what is not, where the
record lists medicines. A dose that nobody takes, as it is too small (`LEAST`), is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar

import polars as pl

from pmed.masses import milligrams
from pmed.plans import as_written
from pmed.repeats import of_tables, unless_repeated
from pmed.tables import TABLES, Tables
from pmed.verdicts import lists_allergies, lists_medicines, lost

from .guidelines import DAYS
from .knowledge import table
from .phenoconversion import COMING, PERHAPS, RECENT, TAKEN, Ability, Acting, matters, parsed, present

MODIFIERS, TAKING, ALLERGIES, DOSE = "modifiers:", "taking:", "allergic-to", "daily-dose:"
UNREAD = "medicines-not-recognised"
# What is put on the skin or into the eye hardly reaches the liver; what goes under the skin does. The words are those
# of SNOMED CT, of the EDQM in both languages, and the codes of HL7's table 0162.
_LOCAL = (r"(?i)topical|ophthalm|\bcutaneous|\botic\b|vaginal|intravitreal|dental|\bocular|\bconjunctival|\bauricular"
          r"|\beyes?\b|\bears?\b|\bam (?:auge|ohr)\b|\bauf der haut\b|^(?:op|ot|tp|vg)$")
_ALSO_ELSEWHERE = r"(?i)\boral|\bmouth\b|\bp\.?o\b|einnehmen|intraven|intramusc|subcut|\b(?:iv|im|sc)\b"  # "PO, ears"
# But these do, or are put there to: beta blockers and alpha agonists in the eye, patches, gels, ointments and rings
# (their FDA labels under "Drug interactions", at https://dailymed.nlm.nih.gov; miconazole: of warfarin).
_REACHING = (
    "apraclonidine", "asenapine", "betaxolol", "brimonidine", "buprenorphine", "carteolol", "clonidine", "donepezil",
    "estradiol", "ethinyl estradiol", "etonogestrel", "fentanyl", "granisetron", "isosorbide dinitrate",
    "levobunolol", "methylphenidate", "metipranolol", "miconazole", "nicotine", "nitroglycerin", "norelgestromin",
    "oxybutynin", "rivastigmine", "rotigotine", "scopolamine", "segesterone", "selegiline", "testosterone", "timolol")
# What a coil gives off acts where it lies: no inducer weakens it, and no other medicine feels it.
_COIL = (pl.col("ingredients").list.join(";") == "levonorgestrel") & pl.col("route").str.contains("(?i)intrauterine")
# What stands around the allergen: "Allergy to penicillin (finding)", "sulfonamide allergy", "Penicillin-Allergie".
_ASIDE = r"\([^()]*\)|\[[^\]]*\]"
_ALLERGY = r"(allergie|(unvertr\u00e4glich|\u00fcberempfindlich)keit|intoleranz)"
_BESIDE = (r"^\s*(allergy|allergic|allergic reaction|hypersensitivity|intolerance|adverse reaction) (to|caused by) "
           r"|\s(allergy|hypersensitivity|intolerance)\s*$"
           rf"|^\s*({_ALLERGY}|allergisch|allergische reaktion) (gegen(\u00fcber)?|auf|von) |[\s-]*{_ALLERGY}\s*$")
_SNOMED = r"snomed|2\.16\.840\.1\.113883\.6\.96$"
LAPSE = 30  # days without a medicine, after which its treatment begins anew
AHEAD = 90  # days within which an order that is yet to begin is asked about now
# mg a day that anybody takes at least, of drugs whose dose decides: well below the smallest strength, as halves are
# taken, and every other day. What is less is likelier of another unit (40 ug simvastatin), and unknown: a dose that is
# taken for small would take a warning away.
LEAST: Mapping[str, float] = {
    "ambrisentan": 1.0, "asciminib": 5.0, "aspirin": 20.0, "celecoxib": 20.0, "citalopram": 2.0,
    "deutetrabenazine": 2.0, "digoxin": 0.02, "edoxaban": 5.0, "eplerenone": 5.0, "escitalopram": 1.0,
    "lovastatin": 4.0, "methadone": 0.5, "pimozide": 0.25, "pitavastatin": 0.2, "pravastatin": 2.0,
    "ranolazine": 100.0, "repaglinide": 0.2, "ritonavir": 30.0, "rosuvastatin": 0.5, "sertraline": 5.0,
    "simvastatin": 2.0, "topiramate": 5.0, "valbenazine": 10.0}
_BEGUN = f"{DAYS}:"
_OF_MODIFIER = pl.format("{}-{}-{}", "gene", "strength", "kind")  # the class of a row of ``modifiers``
_STATES = pl.Enum([TAKEN, RECENT, PERHAPS, COMING])  # the surest first


@dataclass(frozen=True)
class PresentPhenotypes:
    """Phenoconversion: the phenotype of each gene under the medicines of today, and the features of what is taken."""

    name: ClassVar[str] = "pgx-present"
    needs: ClassVar[tuple[str, ...]] = ("gene_results", "patients", "medications", "allergies")
    by_medicine: ClassVar[tuple[str, ...]] = (DOSE.rstrip(":"), DAYS, TAKING.rstrip(":"))
    gives: ClassVar[tuple[str, ...]] = ("present_phenotypes", f"{MODIFIERS}*", f"{TAKING}*", ALLERGIES, f"{DOSE}*",
                                    f"{DAYS}:*")

    def names(self) -> dict[str, str]:
        """Every gene whose product a medicine acts on, and every class of medicines."""
        return {name: name for name in (*(f"{MODIFIERS}{gene}" for gene in modified()),
                                        *(f"{TAKING}{one}" for one in members()))}

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """``present_phenotypes``, and the wanted features, one row a patient with a record."""
        taken = _taken(tables)
        acting = _acting(taken)
        texts = _modifiers(acting)
        people = _of(tables, "patients")["patient_id"]
        doses = taken.lazy().filter(pl.col("state") == TAKEN).select("patient_id", "drug", "daily").pipe(as_written)
        listing = _listing(tables)
        listed, no_allergy = dict.fromkeys(listing, ""), dict.fromkeys(_listing_allergies(tables)["patient_id"], "")
        made = {one.name: one for one in (
            *_wide(people, MODIFIERS, texts, wanted, listed),
            *_wide(people, TAKING, _classes(taken), wanted, listed),
            *_wide(people, ALLERGIES, _allergies(tables), wanted, no_allergy),
            *_wide(people, DOSE, doses, wanted, {}),
            *_wide(people, _BEGUN, days_taken(tables), wanted, dict.fromkeys(listing, 0.0)))}
        return {"present_phenotypes": _present(acting, texts, tables["gene_results"]),
                "features": pl.DataFrame([people, *(made[name] for name in wanted)])}


@cache
def modified() -> tuple[str, ...]:
    """Every gene that table ``modifiers`` names."""
    return tuple(table("modifiers")["gene"].unique().sort())


@cache
def members() -> dict[str, frozenset[str]]:
    """Class → its drugs: those of table ``classes``, and of ``modifiers`` such as ``CYP3A4-strong-inhibitor``."""
    listed = table("classes").group_by("class").agg("drug").iter_rows()
    made = table("modifiers").select(_OF_MODIFIER, "drug").rows()
    found = {name: set(drugs) for name, drugs in listed}
    for name, drug in made:
        found.setdefault(name, set()).add(drug)
    return {name: frozenset(drugs) for name, drugs in found.items()}


@cache
def _listed() -> pl.DataFrame:
    """`members` as a table: name, drug."""
    rows = [(name, drug) for name, drugs in members().items() for drug in drugs]
    return pl.DataFrame(rows, schema={"name": pl.String, "drug": pl.String}, orient="row")


def of_class(name: str) -> frozenset[str]:
    """The drugs of a class; a drug is a class of its own."""
    return members().get(name, frozenset([name]))


def _of(tables: Tables, name: str) -> pl.DataFrame:
    return tables.get(name, TABLES[name].empty())


@of_tables("medications", "patients")
def _taken(tables: Tables) -> pl.DataFrame:
    """patient_id, drug, state, since (days since it ended), daily (mg): each drug once a state."""
    whole = with_coming(tables).lazy().filter(~(_is_local() | _is_sprayed()).fill_null(value=False))
    single = (pl.col("ingredients").list.len() == 1).fill_null(value=False)
    # A single dose that was given is over on its day.
    last = pl.coalesce("end", pl.when(pl.col("kind") == "administration").then("start"))
    ended = (pl.col("index_date") - last).dt.total_days()
    dosed = single & (pl.col("active") | pl.col("coming"))
    said = whole.with_columns(since=pl.when(~pl.col("active")).then(ended),
                              daily=pl.when(dosed).then(pl.col("daily_dose") * milligrams(pl.col("dose_unit"))))
    least = pl.col("drug").replace_strict(LEAST, default=None, return_dtype=pl.Float64)
    rows = each_drug(said.pipe(as_written), "since", "daily", "coming").filter(
        pl.col("active").fill_null(value=True) | pl.col("coming") | (pl.col("since") >= 0)).with_columns(
        daily=pl.when((pl.col("daily") >= least) | least.is_null()).then("daily"))
    # Several orders of one drug that all run are taken together; which of them is meant is not known, so none adds up.
    return rows.group_by("patient_id", "drug", "state").agg(
        pl.when(pl.col("since").is_null().any()).then(None).otherwise(pl.col("since").min()).alias("since"),
        pl.col("daily").max()).sort("patient_id", "drug", "state").pipe(as_written)


def _is_local() -> pl.Expr:
    """Whether a row of ``medications`` stays where it is put, for what it does to others."""
    reaching = pl.col("ingredients").list.eval(pl.element().is_in(_REACHING)).list.any().fill_null(value=False)
    route = pl.col("route")
    return route.str.contains(_LOCAL) & ~route.str.contains(_ALSO_ELSEWHERE) & ~reaching


def _is_sprayed() -> pl.Expr:
    """Whether it is a corticosteroid for nose or lungs: checks ask for one that is swallowed or injected."""
    steroid = pl.col("ingredients").list.eval(pl.element().is_in(sorted(of_class("corticosteroid")))).list.all()
    return pl.col("route").str.contains(r"(?i)nasal|\bnose\b|inhal") & steroid


@of_tables("medications", "patients")
def used_locally(tables: Tables) -> pl.DataFrame:
    """patient_id, drug: what is used on the skin, in the eye and the like only, and hardly reaches the blood there."""
    here = with_coming(tables).with_columns(here=_is_local().fill_null(value=False))
    if not here["here"].any():
        return pl.DataFrame(schema={"patient_id": pl.String(), "drug": pl.String()})
    now = pl.col("active").fill_null(value=True) | pl.col("coming")
    return each_drug(here, "here", "coming").filter(now).group_by("patient_id", "drug").agg(
        pl.col("here").all()).filter("here").select("patient_id", "drug").sort("patient_id", "drug").pipe(as_written)


def now_taken(tables: Tables) -> pl.DataFrame:
    """patient_id, drug, state: each drug that is taken, perhaps taken or to begin, once."""
    return _surest(_taken(tables))


def _surest(taken: pl.DataFrame) -> pl.DataFrame:
    now = taken.lazy().filter(pl.col("state") != RECENT).sort("patient_id", "drug", "state").unique(
        ["patient_id", "drug"], keep="first", maintain_order=True)
    return now.select("patient_id", "drug", "state").pipe(as_written)


def each_drug(medications: pl.DataFrame, *kept: str) -> pl.LazyFrame:
    """One row an ingredient of each medicine: patient_id, drug, state, active and the columns `kept`.

    What a row only could be (``possible_ingredients``) is perhaps taken. Which rows are to begin, `with_coming` tells.
    """
    if "possible_ingredients" not in medications.columns:
        medications = medications.with_columns(possible_ingredients=pl.lit(None, dtype=pl.List(pl.String())))
    coming = pl.col("coming") if "coming" in medications.columns else pl.lit(value=False)
    state = (pl.when("active").then(pl.lit(TAKEN)).when(pl.col("active").is_null()).then(pl.lit(PERHAPS))
             .when(coming).then(pl.lit(COMING)).otherwise(pl.lit(RECENT)))
    both = [medications.lazy().select("patient_id", "active", *kept, drug=name, state=of.cast(_STATES))
            for name, of in (("ingredients", state), ("possible_ingredients", pl.lit(PERHAPS)))]
    return pl.concat(both).explode("drug", empty_as_null=True, keep_nulls=True).drop_nulls("drug")


@cache
def _known_modifiers() -> pl.DataFrame:
    return table("modifiers").with_columns(pl.col("from_dose").cast(pl.Float64), pl.col("lasts_days").cast(pl.Int64))


@unless_repeated
def _acting(taken: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``modifiers`` that hold for a patient: the highest dose step that is reached, by kind."""
    rows = taken.lazy().join(_known_modifiers().lazy(), on="drug", maintain_order="left").filter(
        pl.col("since").is_null() | (pl.col("since") < pl.col("lasts_days")))
    reached = pl.col("from_dose").is_null() | (pl.col("daily") >= pl.col("from_dose"))
    doubtful = pl.col("from_dose").is_not_null() & pl.col("daily").is_null()
    # Of a drug that was stopped, and perhaps taken again: what surely acts still, else what perhaps does.
    surest = pl.col("state") == pl.col("state").min().over("patient_id", "gene", "drug")
    judged = rows.filter(surest).filter(reached.fill_null(value=False) | doubtful).with_columns(
        state=pl.when(doubtful & (pl.col("state") == TAKEN)).then(pl.lit(PERHAPS)).otherwise(
            pl.col("state").cast(pl.String))).pipe(as_written).lazy()
    sure = judged.filter(~doubtful).sort("from_dose", descending=True, nulls_last=True, maintain_order=True).unique(
        ["patient_id", "gene", "drug", "kind"], keep="first", maintain_order=True)
    each = pl.concat([sure, judged.filter(doubtful)])
    return each.sort("patient_id", "gene", "drug", "kind", "strength").pipe(as_written)


def _modifiers(acting: pl.DataFrame) -> pl.DataFrame:
    """patient_id, name (gene), text."""
    entry = pl.concat_str("drug", "kind", "strength", "state", separator="|")
    return acting.group_by("patient_id", name="gene", maintain_order=True).agg(text=entry.str.join(";"))


def _classes(taken: pl.DataFrame) -> pl.DataFrame:
    """patient_id, name (class), text: drugs that are taken; those that perhaps are, or are to begin, say so."""
    now = _surest(taken).lazy()
    told = pl.when(pl.col("state") == TAKEN).then("drug").otherwise(pl.concat_str("drug", "state", separator="|"))
    entries = now.select("patient_id", "drug", entry=told)
    columns = ("patient_id", "name", "drug", "entry")
    each = pl.concat([_still_counting(taken).with_columns(entry="drug").select(columns),
                      entries.join(_listed().lazy(), on="drug").select(columns),
                      entries.with_columns(name="drug").select(columns)])
    once = each.unique(["patient_id", "name", "drug"], keep="first", maintain_order=True)
    return once.group_by("patient_id", "name").agg(text=pl.col("entry").sort().str.join(";")).pipe(as_written)


def _still_counting(taken: pl.DataFrame) -> pl.LazyFrame:
    """patient_id, name (class), drug, since, days: what ended and still counts in a class, for so many days in all."""
    gone = taken.lazy().filter(pl.col("state") == RECENT).join(
        taken.lazy().filter(pl.col("state") == TAKEN), on=["patient_id", "drug"], how="anti", maintain_order="left")
    return gone.join(_lasts().lazy(), on="drug", maintain_order="left").filter(pl.col("since") < pl.col("days"))


@of_tables("medications", "patients")
def lasting(tables: Tables) -> pl.DataFrame:
    """patient_id, drug, since (days since it ended), days: what is over and still counts for checks, and for how long.

    An enzyme stays inhibited or induced for a while (table ``modifiers``), and labels ask for so many days without a
    medicine before another one (``washouts``).
    """
    return _still_counting(_taken(tables)).group_by("patient_id", "drug", "since", maintain_order=True).agg(
        pl.col("days").max()).pipe(as_written)


@cache
def _lasts() -> pl.DataFrame:
    """Name (class), drug, days: how long a medicine that ended counts in a class; a drug is a class of its own."""
    acting = table("modifiers").select("drug", name=_OF_MODIFIER, days=pl.col("lasts_days").cast(pl.Float64))
    asked = table("washouts").select("drug", pl.col("class").alias("name"), pl.col("days").cast(pl.Float64))
    whole = asked.filter(pl.col("name").is_null()).drop("name")
    each = (acting, asked.drop_nulls("name"), whole.join(_listed(), on="drug"), whole.with_columns(name="drug"))
    return pl.concat(one.select("name", "drug", "days") for one in each).group_by("name", "drug").agg(
        pl.col("days").max())


def _wide(people: pl.Series, kind: str, rows: pl.DataFrame, wanted: Sequence[str],
          absent: Mapping[str, str | float]) -> list[pl.Series]:
    """The wanted features of a `kind`, from rows of patient_id, name, value; who has none has what `absent` says."""
    known: dict[str, dict[str, Any]] = {}
    for patient, name, value in rows.iter_rows():
        known.setdefault(f"{kind}{name}", {})[patient] = value
    dtype, nothing = rows.dtypes[-1], tuple(absent.get(patient) for patient in people)
    return [pl.Series(name, [known[name].get(*one) for one in zip(people, nothing, strict=True)], dtype)
            if name in known else column for name, column in _nobodys(kind, tuple(wanted), nothing, dtype).items()]


@lru_cache(maxsize=16)
def _nobodys(kind: str, wanted: tuple[str, ...], nothing: tuple[str | float | None, ...],
             dtype: pl.DataType) -> dict[str, pl.Series]:
    """The wanted columns of a kind of which nobody has a value: most are so, and alike but for their name."""
    column = pl.Series(nothing, dtype=dtype)
    return {name: column.alias(name) for name in wanted if name.startswith(kind)}


def _listing(tables: Tables) -> pl.Series:
    """Patients whose record lists medicines, or says that none is taken now; that it once said so is no list.

    A record of which an order was left out, or may have been, does not list all.
    """
    gone = lost(_of(tables, "issues"), "Medication(Request|Statement|Administration|Dispense)")
    return _of(tables, "medications").filter(lists_medicines(), ~gone)["patient_id"].unique()


@of_tables("allergies", "issues")
def _listing_allergies(tables: Tables) -> pl.DataFrame:
    """patient_id of those whose record lists allergies, or says that there are none to medicines."""
    gone = lost(_of(tables, "issues"), "AllergyIntolerance")
    return _of(tables, "allergies").filter(lists_allergies(), ~gone).select("patient_id").unique()


@of_tables("medications", "patients")
def with_coming(tables: Tables) -> pl.DataFrame:
    """``medications`` with index_date, and `coming`: ordered, and to begin within `AHEAD` days; no hormone coils."""
    people = _of(tables, "patients").lazy().select("patient_id", "index_date")
    taken = _of(tables, "medications").lazy().filter(~_COIL.fill_null(value=False))
    dated = taken.join(people, on="patient_id", how="left", maintain_order="left")
    ahead = (pl.col("start") - pl.col("index_date")).dt.total_days().is_between(0, AHEAD)
    ordered = (pl.col("kind") == "order") & pl.col("status").is_in(["active", "draft"]) & ~pl.col("active")
    return dated.with_columns(coming=(ahead & ordered).fill_null(value=False)).pipe(as_written)


@of_tables("medications", "patients")
def days_taken(tables: Tables) -> pl.DataFrame:
    """patient_id, drug, days since it was begun: of what is, or may be, taken; null where an order has no date.

    Orders that ended up to `LAPSE` days ago are the same treatment; what is to begin has been taken for 0 days.
    """
    ago = [(pl.col("index_date") - pl.col(day)).dt.total_days().alias(day) for day in ("start", "end")]
    rows = each_drug(with_coming(tables).with_columns(ago), "start", "end", "coming")
    now = pl.col("active").fill_null(value=True) | pl.col("coming")
    found = rows.filter(now | pl.col("end").is_between(0, LAPSE)).group_by("patient_id", "drug").agg(
        now=now.any(), undated=(now & pl.col("start").is_null()).any(), days=pl.col("start").max().clip(lower_bound=0))
    days = pl.when(~pl.col("undated")).then("days").cast(pl.Float64)
    return found.filter("now").select("patient_id", "drug", days=days).pipe(as_written)


@of_tables("allergies")
def _allergies(tables: Tables) -> pl.DataFrame:
    """patient_id, "" (the feature has no name of its own), text: ingredients, and classes that are named as such."""
    rows = _of(tables, "allergies").lazy().filter(pl.col("active").fill_null(value=True))
    ingredients = rows.select("patient_id", name="ingredients").explode("name", empty_as_null=True, keep_nulls=True)
    named = pl.concat([ingredients, _classes_named(rows)]).drop_nulls("name").unique()
    return named.group_by("patient_id").agg(text=pl.col("name").sort().str.join(";")).select(
        "patient_id", pl.lit("").alias("name"), "text").pipe(as_written)


def _classes_named(allergies: pl.LazyFrame) -> pl.LazyFrame:
    """patient_id, name (class): allergies to "penicillins" or "sulfa drugs", which are no ingredient."""
    unread = allergies.filter(pl.col("ingredients").is_null())
    said = pl.col("display").str.to_lowercase().str.replace_all(_ASIDE, "").str.replace_all(
        _BESIDE, "").str.strip_chars(" .")
    coded = pl.col("system").str.to_lowercase().str.contains(_SNOMED)
    both = [unread.select("patient_id", kind=pl.lit("name"), name=said),
            unread.filter(coded).select("patient_id", kind=pl.lit("snomed"), name="code")]
    return pl.concat(both).join(table("allergens").lazy(), on=["kind", "name"]).select("patient_id", name="allergen")


def _present(acting: pl.DataFrame, texts: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """``present_phenotypes``: every gene of a patient on whose product a medicine acts; distinct cases once."""
    sure = results.lazy().select("patient_id", "gene", genetic=pl.when("complete").then("phenotype").otherwise(
        pl.when(pl.col("possible_phenotypes").list.len() > 0).then(pl.col("possible_phenotypes").list.join(" or "))),
        score=pl.when("complete").then("activity_score"))
    both = texts.lazy().rename({"name": "gene"}).join(
        sure, on=["patient_id", "gene"], how="left", maintain_order="left").pipe(as_written)
    cases = both.select("gene", "genetic", "score", "text").unique(maintain_order=True)
    told = pl.DataFrame([_told(row) for row in cases.iter_rows(named=True)], schema=_CASE, orient="row")
    case, left = ["gene", "genetic", "score", "text"], _reverting(acting.lazy())
    made = both.lazy().join(told.lazy(), on=case, nulls_equal=True, maintain_order="left").join(
        left, on=["patient_id", "gene"], how="left", maintain_order="left")
    return TABLES["present_phenotypes"].check(made.select(
        "patient_id", "gene", phenotype="genetic", present_phenotype="present", activity_score="score",
        present_activity_score="present_score", because="because", acting="acting", reverts_after="reverts_after",
        evidence="evidence").pipe(as_written))


_CASE: dict[str, Any] = {
    "gene": pl.String(), "genetic": pl.String(), "score": pl.Float64(), "text": pl.String(), "present": pl.String(),
    "present_score": pl.Float64(), "because": pl.List(pl.String()), "acting": pl.List(pl.String())}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    genetic, acting = Ability(row["genetic"], row["score"]), parsed(row["text"])
    now = present(row["gene"], genetic, acting)
    causes: tuple[Acting, ...] = matters(row["gene"], genetic, acting)
    return {**row, "present": now.phenotype, "present_score": now.score,
            "because": list(dict.fromkeys(one.drug for one in causes)), "acting": [str(one) for one in acting]}


def _reverting(acting: pl.LazyFrame) -> pl.LazyFrame:
    """patient_id, gene, reverts_after (days, from the index date if all were stopped now), evidence."""
    left = pl.when(pl.col("state") == RECENT).then(pl.col("lasts_days") - pl.col("since")).when(
        pl.col("state") != COMING).then("lasts_days")
    return acting.group_by("patient_id", "gene").agg(
        reverts_after=left.max(), evidence=pl.struct(
            source="source", level=pl.format("{} {}", "strength", "kind"), citation="citation",
            url=pl.when(pl.col("citation").str.starts_with("https")).then("citation")).unique(maintain_order=True))
