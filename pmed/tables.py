"""The named frames that stages hand to each other.

A table is named once, here, with its columns, types, units and key; this checks frames at stage boundaries and writes
the schemas. Positions are 1-based; alleles are on the forward strand of the build that ``samples`` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from .errors import TableError

Tables = Mapping[str, pl.DataFrame]

FEW = 1000  # rows; so many are looked through in Python sooner than by an operation of polars
STATES = ("called", "half-call", "no-call", "filtered", "absent", "assumed-reference")


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, its unit (UCUM) and whether it may be null."""

    dtype: pl.DataType
    doc: str
    unit: str = ""
    null: bool = True
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A named frame: its columns in order and the key that makes a row unique."""

    name: str
    doc: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()

    def empty(self) -> pl.DataFrame:
        """An empty frame with this table's columns."""
        return self._empty.clone()

    @cached_property
    def _empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema={name: column.dtype for name, column in self.columns.items()})

    def frame(self, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
        """Build a frame from row mappings; columns that a row leaves out are null."""
        schema = {name: column.dtype for name, column in self.columns.items()}
        filled = [{name: row.get(name) for name in schema} for row in rows]
        return pl.DataFrame(filled, schema=schema, orient="row") if filled else self.empty()

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.columns)

    def check(self, frame: pl.DataFrame, *, where: str = "", rows: bool = True, keys: bool = True) -> pl.DataFrame:
        """Return `frame` with the table's columns first, extra columns kept behind.

        Args:
            frame: What is checked.
            where: Said in front of the faults.
            rows: Also look into the rows, for values that are not allowed.
            keys: And for keys that are repeated.

        Raises:
            TableError: naming every fault at once (table.column, row, what, expected).
        """
        faults = [fault for name in self.columns for fault in self._column_faults(frame, name, rows=rows)]
        if rows and keys and not faults and self.key and frame.height > 1:
            faults = self._key_faults(frame)
        if faults:
            raise TableError(f"not a {self.name!r} table: " + "; ".join(faults), where=where)
        return frame[[*self.columns, *(name for name in frame.columns if name not in self.columns)]]

    def _column_faults(self, frame: pl.DataFrame, name: str, *, rows: bool) -> list[str]:
        column, label = self.columns[name], f"{self.name}.{name}"
        if name not in frame.columns:
            return [f"{label} is missing"]
        series = frame[name]
        if series.dtype != column.dtype:
            return [f"{label} is {series.dtype}, expected {column.dtype}"]
        faults = []
        if not column.null and series.null_count():
            faults.append(f"{label} row {series.is_null().arg_true()[0]} is null, expected a value")
        if rows and column.values and (strange := distinct(series).difference((*column.values, None))):
            row = series.is_in(list(strange)).arg_true()[0]
            faults.append(f"{label} row {row} is {series[row]!r}, expected one of {', '.join(column.values)}")
        return faults

    def _key_faults(self, frame: pl.DataFrame) -> list[str]:
        # Equal hashes are rare and cheap to find in millions of rows; only then are the rows themselves compared.
        if frame[list(self.key)].hash_rows().n_unique() == frame.height:
            return []
        double = frame.select(self.key).is_duplicated().arg_true()
        if double.is_empty():
            return []
        return [f"{self.name} row {double[0]} repeats the key {frame.select(self.key).row(double[0], named=True)}"]


def distinct(values: pl.Series) -> set[Any]:
    """The values, each once."""
    return set(values.to_list() if values.len() <= FEW else values.unique())


def _text(doc: str, **more: object) -> Column:
    return Column(pl.String(), doc, **more)  # type: ignore[arg-type]


def _number(doc: str, unit: str = "") -> Column:
    return Column(pl.Float64(), doc, unit)


def _records(*names: str) -> pl.List:
    return pl.List(pl.Struct(dict.fromkeys(names, pl.String())))


_PATIENT = _text("patient this row belongs to", null=False)
_CODED = {
    "system": _text("code system URI"),
    "code": _text("code as recorded"),
    "display": _text("text as recorded"),
}
_ALSO = {"also": _text("what else the entry calls it, as recorded: name or system|code|name, parted by ' \u00a6 '")}
_REASON = {
    "reason": _text("why, as recorded; several reasons are parted by '; '"),
    "reason_system": _text("code system URI of the reason"),
    "reason_code": _text("code of the reason, of several the first"),
}
_PERIOD = {
    "start": Column(pl.Date(), "first day"),
    "end": Column(pl.Date(), "last day"),
}
_ROW = {"patient_id": _PATIENT, "row": Column(pl.Int64(), "number of the row within the patient", null=False)}
_SOURCE = {"source": _text("file and resource path the row came from")}
_SITE = {
    "chrom": _text("contig with 'chr' prefix", null=False),
    "pos": Column(pl.Int64(), "1-based position of REF's first base", null=False),
    "ref": _text("reference allele, forward strand", null=False),
    "alt": _text("alternate allele, forward strand", null=False),
}
_PREDICTION = {
    "patient_id": _PATIENT,
    "predictor": _text("predictor that made it", null=False),
    "target": _text("what is predicted: a drug, a dose, an outcome", null=False),
}
_MESSAGES = _records("code", "text")
_PROBABILITIES = pl.List(pl.Struct({"population": pl.String(), "phenotype": pl.String(), "probability": pl.Float64()}))
_EVIDENCE = _records("source", "level", "citation", "url")
_ALTERNATIVES = _records("drug", "status", "reason")
_MADE_BY = _records("predictor", "target")

ACTIONS = ("avoid", "alternative", "adjust", "monitor", "standard", "test", "not-assessed")
URGENCIES = ("today", "soon", "routine")
#: What an explanation calls inputs that share one bar.
TOGETHER = "all inputs together"
STRENGTHS = ("strong", "moderate", "optional", "none")

_ALL = (
    Table("sites", "Genome positions a component asks for; one row a build and alternate allele.", {
        "build": _text("GRCh37 or GRCh38", null=False, values=("GRCh37", "GRCh38")),
        **_SITE,
        "site": _text("name of the site, its rsID where it has one", null=False),
    }, key=("build", "chrom", "pos", "ref", "alt")),
    Table("samples", "One row a genome sample.", {
        "sample": _text("sample name as in the file header", null=False),
        "patient_id": _PATIENT,
        "source": _text("file(s) the sample was read from", null=False),
        "build": _text("genome build of the positions", null=False, values=("GRCh37", "GRCh38")),
        "build_from": _text("how the build is known: header, stated, inferred or other files"),
        "sex": _text("sex if the file says so"),
    }, key=("sample",)),
    Table("genotypes", "A dense grid: every sample × every site asked for, so that absence is a row and never a gap. "
          "Sorted by chrom, pos, ref, alt, then samples in file order.", {
        "sample": _text("sample name", null=False),
        **_SITE,
        "allele_1": Column(pl.Int8(), "0 REF, 1 this ALT, 2 another allele, null unknown"),
        "allele_2": Column(pl.Int8(), "as allele_1, for the second chromosome; null where haploid"),
        "ploidy": Column(pl.Int8(), "alleles in the call; null where there is none"),
        "phased": Column(pl.Boolean(), "the two alleles are in haplotype order"),
        "phase_set": Column(pl.Int64(), "PS; null where the file gives none"),
        "dp": Column(pl.Int32(), "read depth"),
        "gq": Column(pl.Int32(), "genotype quality, phred"),
        "filter": _text("FILTER of the record"),
        "state": _text("what is known of the site", null=False, values=STATES),
        "source_row": Column(pl.Int64(), "1-based record number in the file, over the records that were looked at"),
    }, key=("sample", "chrom", "pos", "ref", "alt")),
    Table("coverage", "What was looked at around the sites, or is changed there, beside the rows of ``genotypes``.", {
        "sample": _text("sample name", null=False),
        "chrom": _SITE["chrom"],
        "start": Column(pl.Int64(), "1-based first position", null=False),
        "end": Column(pl.Int64(), "1-based last position", null=False),
        "kind": _text("gVCF block of reference, target interval, stretch of more copies or of a structural change",
                      null=False, values=("block", "target", "more-copies", "structural")),
        "dp": Column(pl.Int32(), "least read depth in the block"),
        "gq": Column(pl.Int32(), "genotype quality of the block, phred"),
    }),
    Table("outside_calls", "Gene results of other tools, as their files say. Several rows of a patient and gene are "
          "several possible results; a row without diplotype, phenotype and score is a tool's no-call.", {
        "sample": _text("sample that the file names; null where it names none"),
        "patient_id": _text("patient it is for; the host fills it in"),
        "gene": _text("HGNC symbol", null=False),
        "diplotype": _text("diplotype, or the one allele of a haploid gene"),
        "phenotype": _text("phenotype as the tool says it"),
        "activity_score": _number("activity score as the tool says it", "1"),
        "tool": _text("tool, or format, that the file comes from", null=False),
        "file": _text("file", null=False),
        "line": Column(pl.Int64(), "1-based line of the file"),
        "note": _text("what was changed while reading, one remark a line"),
    }),
    Table("patients", "One row a patient record.", {
        "patient_id": _PATIENT,
        "birth_date": Column(pl.Date(), "date of birth"),
        "sex": _text("administrative sex", values=("female", "male", "other", "unknown")),
        "deceased": Column(pl.Boolean(), "recorded as dead"),
        "ancestry": _text("race or ancestry as recorded"),
        "index_date": Column(pl.Date(), "the day the question is asked: given, else the last entry of the record"),
        **_SOURCE,
    }, key=("patient_id",)),
    Table("conditions", "Diagnoses and problems.", {
        **_ROW, **_CODED, **_PERIOD,
        "status": _text("clinical status as recorded"),
        "verification": _text("verification status as recorded"),
        "active": Column(pl.Boolean(), "not resolved, refuted or entered in error"),
        **_SOURCE,
    }, key=("patient_id", "row")),
    Table("medications", "Medicines ordered, dispensed or stated.", {
        **_ROW, **_CODED, **_ALSO, **_PERIOD,
        "recorded": Column(pl.Date(), "day of the entry"),
        "ingredients": Column(pl.List(pl.String()), "RxNorm ingredient names, lower case; null where not recognised, "
                              "empty where the entry says that no medicine is taken"),
        "matched_by": _text("how the ingredient was found", values=("code", "name", "brand", "synonym", "fuzzy")),
        "strength": _number("amount of the one ingredient in a piece or volume: as recorded, else by the name"),
        "strength_unit": _text("unit of the strength: mg, mg/mL"),
        "dose": _number("amount per administration, in dose_unit"),
        "dose_unit": _text("UCUM unit of the dose; {piece} are tablets or capsules of unknown strength, {count} is a "
                           "number of what is not said"),
        "daily_dose": _number("amount a day, in dose_unit: dose × frequency, or what was supplied over its days"),
        "route": _text("route as recorded, else by the form in the product's name where that is plain"),
        "kind": _text("what the row records", values=("order", "statement", "administration", "dispense")),
        "status": _text("status as recorded"),
        "active": Column(pl.Boolean(), "taken at the index date, as far as the record says"),
        **_REASON, **_SOURCE,
    }, key=("patient_id", "row")),
    Table("observations", "Measurements and findings; panel components are rows of their own.", {
        **_ROW, **_CODED,
        "start": Column(pl.Date(), "day of the observation"),
        "status": _text("status as recorded"),
        "value": _number("numeric value, in unit"),
        "unit": _text("UCUM unit"),
        "value_text": _text("value that is not a number, as text"),
        "value_code": _text("code of a coded value"),
        "interpretation": _text("as the laboratory says it: H high, L low, N normal"),
        **_SOURCE,
    }, key=("patient_id", "row")),
    Table("allergies", "Allergies and intolerances.", {
        **_ROW, **_CODED, **_ALSO,
        "start": Column(pl.Date(), "onset or recording day"),
        "status": _text("clinical status as recorded"),
        "active": Column(pl.Boolean(), "not resolved, refuted or entered in error"),
        "ingredients": Column(pl.List(pl.String()), "RxNorm ingredient names where the allergen is a drug; empty where "
                              "the entry says that there is no allergy to a medicine"),
        "criticality": _text("as recorded"),
        **_SOURCE,
    }, key=("patient_id", "row")),
    Table("procedures", "What was done.", {
        **_ROW, **_CODED, **_PERIOD,
        "status": _text("status as recorded"),
        **_REASON, **_SOURCE,
    }, key=("patient_id", "row")),
    Table("encounters", "Visits and stays.", {
        **_ROW, **_CODED, **_PERIOD,
        "status": _text("status as recorded"),
        "class": _text("class as recorded: ambulatory, emergency, inpatient"),
        **_REASON, **_SOURCE,
    }, key=("patient_id", "row")),
    Table("immunizations", "Vaccines given, or not given where `status` says so.", {
        **_ROW, **_CODED,
        "start": Column(pl.Date(), "day it was given"),
        "status": _text("status as recorded"),
        **_REASON, **_SOURCE,
    }, key=("patient_id", "row")),
    Table("family_history", "Conditions of relatives; a relative of whom none is recorded is a row without a code.", {
        **_ROW, **_CODED,
        "relationship": _text("relationship as recorded"),
        "relative_sex": _text("sex of the relative as recorded"),
        "onset_age": _number("age of the relative at onset", "a"),
        "deceased": Column(pl.Boolean(), "the relative is recorded as dead"),
        "status": _text("status as recorded"),
        **_SOURCE,
    }, key=("patient_id", "row")),
    Table("drug_names", "Vocabulary that turns recorded drugs into ingredients.", {
        "ingredient": _text("RxNorm ingredient name, lower case", null=False),
        "kind": _text("what it is", null=False, values=("ingredient", "synonym", "brand", "code", "abbreviation")),
        "name": _text("name in lower case, or the RxNorm code", null=False),
    }, key=("kind", "name", "ingredient")),
    Table("drug_classes", "Which classes a drug belongs to, by what it is or is given for.", {
        "drug": _text("RxNorm ingredient name, lower case", null=False),
        "class": _text("name of the class in lower case words", null=False),
    }, key=("drug", "class")),
    Table("issues", "Every problem found while reading, and what was done about it.", {
        "file": _text("file", null=False),
        "place": _text("line, sample or resource path"),
        "severity": _text("how bad", null=False, values=("info", "warning", "error")),
        "code": _text("short name of the problem", null=False),
        "text": _text("what was found and what was done", null=False),
        "patient_id": _text("patient it concerns, if one"),
    }),
    Table("gene_results", "What a patient's genome says about one gene.", {
        "patient_id": _PATIENT,
        "gene": _text("HGNC symbol", null=False),
        "status": _text("outcome", null=False, values=("called", "ambiguous", "not-called", "no-data", "outside")),
        "diplotypes": Column(pl.List(pl.String()), "every diplotype that fits best; more than one is ambiguous"),
        "functions": Column(pl.List(pl.String()), "allele functions of the first diplotype"),
        "lookup_diplotypes": Column(pl.List(pl.String()), "what the phenotype rests on: the diplotypes without "
                                    "rare alleles that unread sites leave open, or the variants of least function"),
        "possible_diplotypes": Column(pl.List(pl.String()), "the diplotypes, and those that missing key sites leave "
                                      "open, if these are not too many to list; in genes called as lists of variants "
                                      "the diplotypes alone"),
        "possible_phenotypes": Column(pl.List(pl.String()), "every phenotype that stays possible; empty where unknown"),
        "probabilities": Column(_PROBABILITIES, "how probable the possible phenotypes are, by published allele "
                                "frequencies of a population, if nothing else is known"),
        "activity_score": _number("activity score where the gene has one and all diplotypes agree", "1"),
        "phenotype": _text("genetic phenotype, where all diplotypes agree and no key site is missing"),
        "complete": Column(pl.Boolean(), "no missing key site can change it: the phenotype may be used", null=False),
        "phased": Column(pl.Boolean(), "the call rests on phased genotypes"),
        "missing_sites": Column(pl.List(pl.String()), "defining sites with no usable genotype"),
        "messages": Column(_MESSAGES, "what a reader must know about this call"),
    }, key=("patient_id", "gene")),
    Table("present_phenotypes", "What a patient's medicines make of a gene's phenotype today: one row a gene on whose "
          "product a medicine acts.", {
        "patient_id": _PATIENT,
        "gene": _text("HGNC symbol", null=False),
        "phenotype": _text("genetic phenotype; several possible ones joined by ' or '; null where unknown"),
        "present_phenotype": _text("phenotype today, as `phenotype`"),
        "activity_score": _number("genetic activity score", "1"),
        "present_activity_score": _number("activity score today", "1"),
        "because": Column(pl.List(pl.String()), "medicines that change the phenotype"),
        "acting": Column(pl.List(pl.String()), "every medicine that acts on it, in words, with kind and strength"),
        "reverts_after": Column(pl.Int64(), "days after which the genetic phenotype is back if all were stopped on "
                                "the index date", "d"),
        "evidence": Column(_EVIDENCE, "source of each: source, level (strength), citation, link"),
    }, key=("patient_id", "gene")),
    Table("features", "One row a patient; columns are named features (age, on:amiodarone, phenotype:CYP2C19 …), "
          "null where unknown.", {"patient_id": _PATIENT}, key=("patient_id",)),
    Table("predictions", "What the predictors say.", {
        **_PREDICTION,
        "value": _number("predicted value, in unit; null where not assessed"),
        "unit": _text("clinical unit (UCUM or plain)", null=False),
        "low": _number("lower end of the interval"),
        "high": _number("upper end of the interval"),
        "label": _text("value in words, where a word says it better"),
        "status": _text("was it assessed; not-applicable: the predictor has nothing to say of this patient", null=False,
                        values=("assessed", "not-assessed", "not-applicable")),
        "reason": _text("why it was not assessed; of one that was, what was assumed"),
    }, key=("patient_id", "predictor", "target")),
    Table("explanations", "Additive attribution: baseline + contributions = prediction, within 1e-6.", {
        **_PREDICTION,
        "feature": _text("input that was changed", null=False),
        "value": _text("the patient's value of it, as text"),
        "reference": _text("the reference patient's value of it, as text"),
        "contribution": Column(pl.Float64(), "what it adds, in unit", null=False),
        "baseline": Column(pl.Float64(), "prediction for the reference patient, in unit", null=False),
        "prediction": Column(pl.Float64(), "prediction for this patient, in unit", null=False),
        "unit": _text("unit of the three numbers", null=False),
        "method": _text("how the numbers were made", null=False),
    }, key=("patient_id", "predictor", "target", "feature")),
    Table("traces", "The steps from the record, the allele and the guideline row to the prediction.", {
        **_PREDICTION,
        "step": Column(pl.Int64(), "order", null=False),
        "text": _text("one step in words", null=False),
    }, key=("patient_id", "predictor", "target", "step")),
    Table("suggestions", "What to do about one drug for one patient.", {
        "patient_id": _PATIENT,
        "drug": _text("RxNorm ingredient name in lower case", null=False),
        "current": Column(pl.Boolean(), "the patient takes it now", null=False),
        "action": _text("what to do", null=False, values=ACTIONS),
        "urgency": _text("when", null=False, values=URGENCIES),
        "strength": _text("strength of the recommendation", null=False, values=STRENGTHS),
        "concern": _number("0 none to 4 avoid; null where not assessed", "concern level"),
        "text": _text("advice in our own words", null=False),
        "why": _text("the reason in one sentence"),
        "dose_factor": _number("multiply the usual dose by this", "1"),
        "population": _text("whom the guideline row is for"),
        "evidence": Column(_EVIDENCE, "source, level, citation, link"),
        "alternatives": Column(_ALTERNATIVES, "drug, status (fits, caution, ruled-out), reason"),
        "cautions": Column(_MESSAGES, "added by checks; never removed"),
        "unknown": Column(pl.List(pl.String()), "inputs that were missing"),
        "explained_by": Column(_MADE_BY, "predictions this rests on; the first is the main one"),
        "adviser": _text("adviser(s) that made it", null=False),
    }, key=("patient_id", "drug", "adviser")),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
