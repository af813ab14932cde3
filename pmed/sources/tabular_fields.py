"""Cells → fields as recorded: numbers, dates, flags and words read column by column, and what is none is reported."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..errors import HistoryError
from ..normalise.units import GOAL, GOALS
from ..tables import TABLES
from .recorded import COLUMNS
from .tabular_cells import IDENTIFIER, PLACE
from .tabular_dates import as_dates, day, day_cell, why_not
from .tabular_mapping import DATES, FLAGS, LOINC, NUMBERS, FileMap, fields_of

_TRUE, _FALSE = ("true", "yes", "y", "1", "t"), ("false", "no", "n", "0", "f")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_LIMIT = r"^[<>]"
# It may end up in a file name.
_COMMA = r"^[+-]?\d+,\d+$"
_THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+$"
# What a row is of whose patient is not known: what else is recorded is none the less so.
_RESOURCES = {"patients": "Patient", "conditions": "Condition", "medications": "MedicationStatement",
              "observations": "Observation", "allergies": "AllergyIntolerance", "procedures": "Procedure",
              "encounters": "Encounter", "immunizations": "Immunization", "family_history": "FamilyMemberHistory"}
_TOTALS = r"^(?:(?:grand )?total|totals|sum|summe|gesamt(?:summe)?|mean|average|mittelwert|durchschnitt|median)\W*$"
_DEFAULTS = {"medications": {"ordered": True, "kind": "statement"}}


def recorded(cells: pl.DataFrame, mapped: FileMap, file: str, found: list[pl.DataFrame]) -> pl.DataFrame:
    """One file's rows with the columns of `recorded.COLUMNS`; problems go to `found`."""
    place, texts = pl.col(PLACE), {
        name: _cell(cells, column, mapped, number=name in NUMBERS) for name, column in mapped.columns.items()}
    frame = cells.select(**texts, file=pl.lit(file), place=place, source=pl.format("{}#{}", pl.lit(file), place),
                         **{f"{PLACE}{name}": _cell(cells, name, mapped, number=True) for name in mapped.measurements})
    frame = _of_patients(frame, mapped, found)
    for name, column in mapped.columns.items():
        frame = _read(frame, name, as_dates(cells, mapped, column), found)
    frame = frame.with_columns(pl.lit(value).alias(name) for name, value in _constants(mapped).items())
    frame = _long(frame, mapped, found) if mapped.measurements else frame
    return _complete(frame, mapped.table)


def people(frames: Mapping[str, pl.DataFrame], found: list[pl.DataFrame]) -> pl.DataFrame:
    """One row a patient: rows of one patient taken together, and patients that only other tables name."""
    told = frames.get("patients", _complete(pl.DataFrame(schema={"patient_id": pl.String()}), "patients"))
    fields = [name for name in fields_of("patients") if name != "patient_id"]
    for name in fields:
        odd = told.filter(pl.col(name).drop_nulls().n_unique().over("patient_id") > 1).unique(
            "patient_id", keep="first", maintain_order=True)
        found.append(_issues(odd, name, "warning", "patient-conflict", "rows of one patient contradict each other; it "
                             "stays unknown"))
    known = pl.col(fields).drop_nulls()
    one = pl.when(known.n_unique() <= 1).then(known.first()).name.keep()
    merged = told.group_by("patient_id", maintain_order=True).agg(pl.col("file", "place", "source").first(), one)
    others = pl.concat([frame.select("patient_id", "file", "place", "source") for name, frame in frames.items()
                        if name != "patients"] or [merged.select("patient_id", "file", "place", "source")])
    extra = others.unique("patient_id", keep="first", maintain_order=True).join(
        merged, on="patient_id", how="anti", maintain_order="left")
    if "patients" in frames:
        found.append(_issues(extra, "patient_id", "warning", "no-patient-row", "a patient without a row in the "
                             "table of patients; age and sex stay unknown"))
    return pl.concat([merged.select(COLUMNS["patients"]), _complete(extra, "patients")])


def _cell(cells: pl.DataFrame, column: str, mapped: FileMap, *, number: bool = False) -> pl.Expr:
    """Any cell as text without blanks around it; what stands for nothing is null. Whole numbers have no ".0".

    A `number` that is one in the file already is written as the mapping says that its texts are.

    Raises:
        HistoryError: the column holds lists, records or bytes.
    """
    value, kind = pl.col(column), cells.schema[column]
    if kind.is_float():
        whole = value.is_finite() & (value == value.round()) & (value.abs() < 1e15)
        text = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
    elif kind == pl.Date:
        text = day_cell(value)
    elif kind.is_nested() or kind in {pl.Object, pl.Binary}:
        raise HistoryError(f"column {column} does not hold single values ({kind})", where=mapped.path)
    else:
        text = value.cast(pl.String)
    text = text.str.replace(".", mapped.decimal, literal=True) if number and kind.is_numeric() else text
    text = text.str.strip_chars()
    return pl.when(text.is_in([*mapped.missing, ""]).not_()).then(text)


def patient_of(cells: pl.DataFrame, mapped: FileMap) -> pl.Expr:
    """`patient_id` of each row; null where it names nobody."""
    name = _cell(cells, mapped.columns["patient_id"], mapped)
    return pl.when(name.str.contains(IDENTIFIER)).then(name).alias("patient_id")


def _of_patients(frame: pl.DataFrame, mapped: FileMap, found: list[pl.DataFrame]) -> pl.DataFrame:
    """Rows that name a patient; the others are left out."""
    column, name = f"{mapped.columns['patient_id']} ({_RESOURCES[mapped.table]})", pl.col("patient_id")
    totals = frame.select(name.str.to_lowercase().str.contains(_TOTALS).fill_null(value=False)).to_series()
    found.append(_issues(frame.filter(totals).with_columns(patient_id=pl.lit(None, pl.String)), column, "warning",
                         "totals-row", "a row of totals, by what stands for the patient; it was left out"))
    frame = frame.filter(~totals)
    odd = frame.filter(name.str.contains(IDENTIFIER).not_()).with_columns(patient_id=pl.lit(None, pl.String))
    found += [_issues(frame.filter(name.is_null()), column, "error", "no-patient", "no patient; the row was left out"),
              _issues(odd, column, "error", "bad-identifier", "an identifier of other characters than letters, digits, "
                      "'.', '_' and '-', or of more than 64; the row was left out")]
    return frame.filter(name.str.contains(IDENTIFIER))


def _read(frame: pl.DataFrame, name: str, mapped: FileMap, found: list[pl.DataFrame]) -> pl.DataFrame:
    """One field: values mapped, then numbers, dates, flags or words read."""
    column = mapped.columns[name]
    if name in mapped.values:
        words = mapped.values[name]
        made = pl.col(name).replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.String)
        frame = _judged(frame, name, made, column=column, found=found,
                        problem=("unmapped-value", "a value that the mapping does not know"))
    if name in NUMBERS:
        return _numbers(frame, name, mapped, column, found)
    if name in DATES:
        return _judged(frame, name, day(name, mapped), column=column, found=found,
                       problem=("bad-date", why_not(name, mapped)))
    if name in FLAGS:
        lower = pl.col(name).str.to_lowercase()
        flag = pl.when(lower.is_in(_TRUE)).then(statement=True).when(lower.is_in(_FALSE)).then(statement=False)
        return _judged(frame, name, flag, column=column, found=found, problem=("bad-flag", "neither yes nor no"))
    known = TABLES[mapped.table].columns[name].values if name in TABLES[mapped.table].columns else ()
    if known:
        made = pl.when(pl.col(name).is_in(known)).then(pl.col(name))
        return _judged(frame, name, made, column=column, found=found,
                       problem=("bad-word", f"none of {', '.join(known)}"))
    return frame


def _numbers(frame: pl.DataFrame, name: str, mapped: FileMap, column: str,
             found: list[pl.DataFrame]) -> pl.DataFrame:
    """Numbers; a limit ("<5") and what is no number are told and, of observations, kept as text."""
    comma = mapped.decimal == ","
    text = pl.col(name).str.replace(",", ".", literal=True) if comma else pl.col(name)
    sure = text.str.contains(_NUMBER)
    if comma:  # 1.234 is a thousand there, or no comma was meant
        sure &= ~pl.col(name).str.contains(_THOUSANDS)
    number = pl.when(sure).then(text.cast(pl.Float64, strict=False))
    number = pl.when(number.is_finite()).then(number)
    odd, limit = frame.filter(number.is_null() & pl.col(name).is_not_null()), pl.col(name).str.contains(_LIMIT)
    found += [_issues(odd.filter(limit), column, "info", "limit-not-value",
                      "a value beyond a limit of measurement; the number stays unknown"),
              _issues(odd.filter(~limit), column, "warning", "bad-number", _no_number(name, comma=comma))]
    if name == "value" and "value_text" not in frame.columns:
        frame = frame.with_columns(value_text=pl.when(number.is_null()).then(pl.col(name)))
    return frame.with_columns(number.alias(name))


def _no_number(name: str, *, comma: bool) -> pl.Expr:
    """What is told of a cell that is no number, and what to do."""
    marked = pl.col(name).str.contains(_THOUSANDS if comma else _COMMA)
    return pl.when(marked).then(pl.lit(
        "a point where the mapping says decimal = \",\": it may part thousands; the number stays unknown" if comma else
        "a comma in a number: it may be a decimal comma or part thousands; it stays unknown: if it is a decimal comma, "
        "say decimal = \",\" for this file in the mapping")).otherwise(pl.lit("not a number; it stays unknown"))


def _judged(frame: pl.DataFrame, name: str, made: pl.Expr, *, column: str, found: list[pl.DataFrame],
            problem: tuple[str, str | pl.Expr]) -> pl.DataFrame:
    """The field as read; cells that say something and could not be read are told, by the whole text if it is one."""
    code, why = problem
    done = frame.with_columns(made.alias(name))
    lost = frame.filter(done[name].is_null() & frame[name].is_not_null())
    found.append(_issues(lost, column, "warning", code, f"{why}; it stays unknown" if isinstance(why, str) else why))
    return done


def _constants(mapped: FileMap) -> dict[str, object]:
    given = {**_DEFAULTS.get(mapped.table, {}), **mapped.constants}
    return {name: value for name, value in given.items() if name not in mapped.columns}


def _long(frame: pl.DataFrame, mapped: FileMap, found: list[pl.DataFrame]) -> pl.DataFrame:
    """A column a test → a row a measurement; an empty cell is no measurement."""
    made = []
    for column, test in mapped.measurements.items():
        cell = pl.col(f"{PLACE}{column}")
        rows = frame.filter(cell.is_not_null()).with_columns(value=cell)
        system = test.system or (_system(test.code) if test.code else None)
        made.append(_numbers(rows, "value", mapped, column, found).with_columns(
            system=pl.lit(system, pl.String), code=pl.lit(test.code, pl.String), unit=pl.lit(test.unit),
            display=pl.lit(test.display or column)))
    return pl.concat(made)


def _system(code: str) -> str:
    return GOALS if code.startswith(GOAL) else LOINC


def _complete(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Every column of the table, in its order and of its kind."""
    kinds = {name: pl.Float64() if name in NUMBERS else pl.Boolean() if name in FLAGS else pl.String()
             for name in COLUMNS[table]}
    return frame.select((pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name))
                        for name, kind in kinds.items())


def _issues(rows: pl.DataFrame, column: str, severity: str, code: str, text: str | pl.Expr) -> pl.DataFrame:
    # In one chunk: polars 1.44 and 2.1 panic in pl.format where a filter left nothing of the first of several.
    return rows.rechunk().select("file", place=pl.format("{} column {}", "place", pl.lit(column)),
                                 severity=pl.lit(severity), code=pl.lit(code),
                                 text=pl.lit(text) if isinstance(text, str) else text,
                                 patient_id="patient_id")
