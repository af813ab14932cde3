"""What may be wrong with the files and records that were read, as the ``issues`` table says it, for the catalogues.

As in ``sayings``: nothing reads these tables, in braces stands what varies. ``{key}`` and ``{source}`` are what a
library or the file says itself, which stays as it is.
"""

from __future__ import annotations

from .messages import marked

#: What of a file or a record was left out.
LEFT_OUT = (
    marked("{key}; the file was left out"),
    marked("the file that cannot be read was taken for the record of one more patient; if it is part of another "
           "record, what that one lacks is unknown, not absent"),
    marked("it cannot be read, and may be about this patient; the file was left out"),
    marked("a bundle inside is not read; the resource was left out"),
    marked("the server says that its answer is not whole ({name}): what is not here may still be in the record"),
    marked("a medicine as another version of FHIR has it ({name}), which is not read; it was left out"),
    marked("a bundle inside is not read; the entry was left out"),
    marked("{key}; the resource was left out"),
    marked("{key}; the entry was left out"),
    marked("no resourceType; the resource was left out"),
    marked("no resourceType; the entry was left out"),
    marked("not about a patient of this record; the resource was left out"),
    marked("it does not say about whom it is; the resource was left out"),
    marked("no person_id; the row was left out"),
    marked("a row of totals, by what stands for the patient; it was left out"),
    marked("no person_id; the row was left out ({n} rows; the first is named)"),
    marked("a number written as text; it is used as the number it plainly is"),
    marked("text where a number belongs; the value stays unknown"),
    marked("given before and differs: which version holds is not known, so how it stands is unknown; give the newest "
           "one only"),
    marked("how often it is taken differs between the fields and the text of the directions; it stays unknown"),
    marked("the dose differs between the fields and the text of the directions; it stays unknown"),
    marked("more a day than maxDosePerPeriod allows, or in a unit that cannot be compared with it; how much a day "
           "stays unknown"),
    marked("a dose of zero or below; it stays unknown"),
    marked("drug_source_value names another strength than the concept; the dose stays unknown"),
    marked("this stay has ended: whether what was ordered in it is taken since then is unknown"),
    marked("MSH-18 names a character set that it is not in; it was read as UTF-8"),
    marked("a status or order control that is not known here: whether it is taken stays unknown"),
    marked("unit_concept_id and unit_source_value are different units; the value stays unknown"),
    marked("the timing has another amount at a time than the order; how much a day stays unknown"),
    marked("'{name}': the dose does not go with the strength ({n} {key}), as where milligrams are written for "
           "micrograms; it stays unknown"),
    marked("{names}: of merged cells only the first has the value, the others were read as empty; take the cells apart "
           "and fill them"),
    marked("the text of the directions says as needed, fields say how often; how much a day stays unknown"),
    marked("the text or the name speaks of weeks, but it would be taken daily; how much a day stays unknown"),
    marked("{key}; the contained medicine was not read"),
    marked("{key}; the patient was left out"),
    marked("MSH does not say which characters separate fields; the message was left out"),
    marked("the text ends within this segment; it was left out"),
    marked("no PID; the message was left out"),
    marked("messages marked as training or debugging (MSH-11) were left out; the first is named"),
    marked("all messages are marked as training or debugging (MSH-11) and were read: please confirm that they are "
           "about real patients"),
    marked("a correction at a time that was not met before: which of several results it corrects is not known, and "
           "their values stay unknown"),
    marked("before the first PID of several; it was left out"),
    marked("no identifier; what belongs to it was left out"),
    marked("an identifier of other characters than letters, digits, '.', '_' and '-', or of more than 64; what "
           "belongs to it was left out"),
    marked("an identifier of other characters than letters, digits, '.', '_' and '-', or of more than 64; the row "
           "was left out"),
    marked("not as many fields as the header; the line was left out"),
    marked("not as many fields as the header; the line was left out ({n} lines; the first is named)"),
    marked("{n1} cells where the header has {n2}; the row was left out"),
    marked("{key}; this row and what follows was left out"),
    marked("no patient; the row was left out"),
    marked("without person_id; the row was left out"),
    marked("the person is not in the person table; the row was left out"),
    marked("neither code nor text; the row was left out"),
    marked("before the medicine it belongs to; it was left out"),
    marked("the text ends before the end of this segment; its last field was left out"),
)

#: What of a record stays unknown.
STAYS_UNKNOWN = (
    marked("the person has several rows; where they differ, it stays unknown"),
    marked("rows of one patient contradict each other; it stays unknown"),
    marked("a patient without a row in the table of patients; age and sex stay unknown"),
    marked("no date of birth: age stays unknown, and what needs it (kidney function, risk scores, checks by age) is "
           "not assessed"),
    marked("the date of birth is after the index date: age stays unknown, and what needs it (kidney function, risk "
           "scores, checks by age) is not assessed"),
    marked("the date of birth is {n} years or more before the index date: age stays unknown, and what needs it "
           "(kidney function, risk scores, checks by age) is not assessed"),
    marked("a status that FHIR does not know: whether it is taken stays unknown"),
    marked("not a number; it stays unknown"),
    marked("a comma in a number: it may be a decimal comma or part thousands; it stays unknown: if it is a decimal "
           "comma, say decimal = \",\" for this file in the mapping"),
    marked("a point where the mapping says decimal = \",\": it may part thousands; the number stays unknown"),
    marked("a range whose ends are in different units, or the lower one above the other; it is kept as text"),
    marked("not a number; the dose stays unknown"),
    marked("a value that the mapping does not know; it stays unknown"),
    marked("not a date of the form {key}; it stays unknown"),
    marked("not a date of the form {key}, or its century cannot be told; it stays unknown"),
    marked("not a date of the form YYYY-MM-DD; it stays unknown: if the day comes first, say date_format = "
           "\"%d.%m.%Y\" for this file in the mapping"),
    marked("a number of days, as Excel keeps dates, which does not say since when; it stays unknown: show the column "
           "as a date, or as text, in Excel"),
    marked("no date of the form YYYY-MM-DD; it stays unknown"),
    marked("neither yes nor no; it stays unknown"),
    marked("none of {key}; it stays unknown"),
    marked("{name} is not a whole number; it stays unknown"),
    marked("{name} is not a number; it stays unknown"),
    marked("no {name}; it stays unknown"),
    marked("about somebody or something else than the patient; the measurement was left out"),
    marked("gender and sex at birth differ; sex stays unknown"),
    marked("replaced by another record of the same person: what stands in the other is another patient here"),
    marked("took the place of another record of the same person: what stands in that one is another patient here"),
    marked("recorded as dead: suggestions are of no use unless the person lived on the index date"),
    marked("a status that FHIR does not know: whether the diagnosis still holds stays unknown"),
    marked("a certainty that FHIR does not know: the diagnosis counts as unconfirmed"),
    marked("results with a status that FHIR does not know: their values are not used"),
    marked("the code is none of the code system that is named: which diagnosis it is stays unknown"),
    marked("the name says that it is stopped, refused, planned or somebody else's: whether it is taken stays unknown"),
    marked("the text doubts or denies the diagnosis, or is about a relative: it counts as unconfirmed"),
    marked("not a FHIR gender; it stays unknown"),
    marked("no index date was asked for and the record has no dated entry; age stays unknown"),
    marked("neither a code nor a name; what it is stays unknown"),
    marked("the medicine it refers to is not in the record; only the name of the link is known, if any"),
    marked("the reason it refers to is not in the record, or is marked as wrong; only the name of the link is known, "
           "if any"),
    marked("the reason it refers to is not in it, or cannot be read; only the name of the link is known, if any"),
    marked("{key}; this reason stays unknown"),
    marked("the bundle names a next page that was not given: what is not here may still be in the record"),
    marked("no result status that is known; it stays unknown"),
    marked("it does not say what was observed"),
    marked("an extension that is not known here changes what the entry says; whether it is taken stays unknown"),
    marked("a value with a status that says there is none; it stays unknown"),
    marked("ORC-1 ends the order and ORC-5 has it in process; its status stays unknown"),
    marked("no ORC before it; whether it is still given stays unknown"),
    marked("neither an end after the start nor days of supply: whether it is still taken is unknown"),
    marked("the end is before the start; the end stays unknown"),
    marked("an end in 1900 or before stands for none; the end stays unknown"),
    marked("days_supply is not within 0 and {n}; it stays unknown"),
    marked("operator_concept_id is not known; the value stays unknown"),
    marked("birth_datetime and year_of_birth differ; the date of birth stays unknown"),
    marked("gender_concept_id is 0 or none of OMOP's; sex stays unknown"),
    marked("no {name} table: what it would tell is unknown, not absent"),
    marked("a drug_era table is there and is not read: eras are computed from drug exposures and have no dose; export "
           "drug_exposure, from which they were made, for without it medicines are unknown"),
    marked("a condition_era table is there and is not read: eras are computed from condition occurrences and do not "
           "say how sure they were; export condition_occurrence, from which they were made, for without it diagnoses "
           "are unknown"),
    marked("no death table: who has died is unknown"),
    marked("no concept table: codes and names of concepts are unknown; the text of the source is used"),
    marked("concept_id is 0; the text of the source is used, without a code"),
    marked("the concept table has no such concept; the text of the source is used, without a code"),
    marked("quantity is below 0 or more than {n} pieces a day; it is not used"),
    marked("{key}: outside {n1} to {n2} {unit}, not used"),
    marked("LOINC {key}: the result is a text that is not one number with a unit known here; it was measured, and the "
           "value stays unknown"),
    marked("'{name}' ({key}) may be a measurement that is looked for, and has no LOINC code: it is not used (results: "
           "{n}); let the source send the LOINC code, or name it in a mapping file"),
    marked("LOINC {key}: without a date a result is not used (results: {n}); the latest value may be another"),
    marked("'{key}' is no code of LOINC, by its check digit: it is not used (results: {n})"),
    marked("a unit that is not in pmed's table was met and the UCUM library is not installed: install pmed with its "
           "records extra"),
)

#: How a record was read all the same.
READ_ALL_THE_SAME = (
    marked("an escape that is not read; the text stays as written"),
    marked("a line that is no segment was read as the rest of the one before"),
    marked("text that is not in the character set it should be in was read as Latin-1; names may be wrong"),
    marked("text that is not UTF-8 was read as Latin-1; names may be wrong"),
    marked("the text ends without the end of this segment; it may be incomplete"),
    marked("a change that was refused; the order stays as it was"),
    marked("an earlier message has another medicine under this order number; this one is used"),
    marked("before PID; it was read as this patient's"),
    marked("another sex than in an earlier message; this one is used: please confirm that it is one person"),
    marked("another birth_date than in an earlier message; this one is used: please confirm that it is one person"),
    marked("two identifiers were merged; records under the old one are another patient here"),
    marked("an identifier with several assigning authorities is kept as one patient for each: please confirm"),
    marked("outside calls for sample {name} were read as those of patient {name2}: the names differ, please confirm"),
)

#: Why a genotype in a record was not used.
NO_GENOTYPE = (
    marked("a haplotype alone does not tell both alleles; the genotype was not used"),
    marked("its status is {key}, not final; the genotype was not used"),
    marked("it names no gene, or more than one; the genotype was not used"),
    marked("it has no value; the genotype was not used"),
)

#: What was found in a genome.
GENOME = (
    marked("no record is on a contig with a known site: nothing was read"),
    marked("{n} calls at known sites are below the DP or GQ asked for, or without it: read as unknown"),
    marked("{n} calls at known sites are 0/0 without depth and quality, and the header tells that missing calls were "
           "written so: read as no call"),
    marked("{n} calls at known sites are contradicted by their own likelihoods (PL, GL, GP, DS: another genotype is "
           "likelier): read as no call"),
    marked("{n} calls at known sites are contradicted by their reads (AD: less than a tenth for one of two alleles, or "
           "a third for another): read as no call"),
    marked("{n} calls at known sites do not fit their reads (AD: less than a fifth for an allele, or a fifth for "
           "another): they are used and may be wrong"),
    marked("{n} calls at known sites rest on no reads, on one for two copies, or on GQ 3 or less: read as no call"),
    marked("and in {n} more places"),
    marked("REF {key} is not the {source} known at {name}: the record was not used there"),
    marked("more than two alleles in {names}: not called"),
    marked("two records of one site contradict each other: {name} was not called in {names}"),
    marked("a deletion from further up leaves no base for its call: {name} was not called in {names}"),
    marked("a change of unknown copies goes over it: {name} was not called in {names}"),
    marked("an insertion or deletion behind it may be its own, which only --reference tells: {name} was not called in "
           "{names}"),
    marked("no record fits a known site of {key}, and {n} fit {source}: check the build; absence is not taken for "
           "reference"),
    marked("more copies than usual of {name} in {names}: its genotype is used, the copies are not counted"),
    marked("another file says otherwise: {name} was not called in {names}"),
    marked("the last line has no line end: the file may be cut off"),
    marked("{name} is older than the file: it was not used"),
    marked("{key} is not a contig name"),
    marked("{name} comes in more than one piece: the file is not sorted; it was read all the same"),
    marked("positions do not ascend: the file is not sorted; it was read all the same"),
    marked("a genotype names allele {n1}, but there are {n2} ALTs: it is unknown"),
    marked("the record has no GT: nobody was called there"),
    marked("a sample has more values than FORMAT {key} has keys"),
    marked("REF {key} is not bases: the record was not used"),
    marked("ALT {key} is no allele: calls of it are unknown"),
    marked("FILTER {key} is not a list of filters: read as failed"),
    marked("FORMAT {key} has the key {source}"),
)

#: What was found in an array.
ARRAY = (
    marked("{key} data are not validated for clinical use, and calls of rare variants are often wrong (Tandy-Connor "
           "2018, PMID:29565420): confirm in a clinical laboratory before acting"),
    marked("{n} rows have the rsID of a known site and another position: they were not used"),
    marked("reference at {n} positions with several known changes, of which an array tests one: the others are not "
           "ruled out"),
    marked("{name} at {names}: another row looks like the other strand, and this one would fit both; it was not "
           "called"),
    marked("{name} at {names}: it may be a part of the longer change; it was not called"),
    marked("{name} at {names}: another kind of change is known there; it was not called"),
    marked("{name} at {names}: {others} are known there; it was not called"),
    marked("{name} at {names}: {others} are known there: it looks like the other strand; it was not called"),
    marked("{name} at {names}: another number of copies is expected there; it was not called"),
    marked("{name} at {names}: several insertions or deletions are known there; it was not called"),
    marked("{name} at {names}: no insertion or deletion is known there; it was not called"),
)
