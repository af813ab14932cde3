"""Interactions are told at the drug that has to change, whichever of the two it is."""

from __future__ import annotations

from typing import Any

import pytest

from pmed_pgx.checks import covered, reads
from pmed_pgx.medicines import TAKING, of_class
from pmed_pgx.outcomes import Outcome, outcome
from pmed_pgx.wording import advice, cautions, starting, unknown


def beside(drug: str, *others: str, later: bool = False, **known: Any) -> Outcome:
    """The outcome of a drug for who takes others; `later`: they are to begin."""
    one = covered()[drug]
    entry = "{}|to begin" if later else "{}"
    taking = {name: ";".join(sorted(entry.format(other) for other in others
                                    if other in of_class(name.removeprefix(TAKING))))
              for name in reads(one) if name.startswith(TAKING)}
    return outcome(one, {**taking, **known})


@pytest.mark.parametrize(("drug", "other", "action", "strength", "says"), [
    ("efavirenz", "voriconazole", "adjust", "strong", "300 mg efavirenz"),
    ("posaconazole", "vincristine", "alternative", "strong", "other than an azole"),
    ("fluconazole", "vinblastine", "alternative", "moderate", "other than an azole"),
    ("theophylline", "cimetidine", "monitor", "strong", "level of theophylline"),
    ("aminophylline", "erythromycin", "monitor", "strong", "level of aminophylline"),
    ("cimetidine", "theophylline", "alternative", "moderate", "famotidine"),
    ("erythromycin", "theophylline", "alternative", "moderate", "azithromycin"),
    ("gemfibrozil", "irinotecan", "alternative", "strong", "fenofibrate"),
    ("gemfibrozil", "repaglinide", "alternative", "strong", "fenofibrate"),
    ("gemfibrozil", "simvastatin", "alternative", "strong", "fenofibrate"),
    ("gemfibrozil", "atorvastatin", "alternative", "moderate", "fenofibrate"),
    ("febuxostat", "azathioprine", "avoid", "strong", "Do not give febuxostat"),
    ("clarithromycin", "tacrolimus", "alternative", "strong", "azithromycin"),
    ("clarithromycin", "simvastatin", "alternative", "strong", "azithromycin"),
    ("erythromycin", "colchicine", "alternative", "strong", "azithromycin"),
    ("itraconazole", "simvastatin", "monitor", "strong", "pause or change the other"),
    ("meropenem", "valproate", "alternative", "strong", "another antibiotic"),
    ("ciprofloxacin", "tizanidine", "alternative", "strong", "another antibiotic"),
    ("ciprofloxacin", "clozapine", "alternative", "moderate", "another antibiotic"),
    ("fluvoxamine", "tizanidine", "avoid", "strong", "change one of the two"),
    ("st. john's wort extract", "cyclosporine", "avoid", "strong", "Stop this"),
    ("rifampin", "apixaban", "monitor", "strong", "lose their effect"),
    ("riociguat", "sildenafil", "avoid", "strong", "PDE5"),
    ("riociguat", "nitroglycerin", "avoid", "strong", "nitrate"),
    ("disulfiram", "metronidazole", "avoid", "strong", "metronidazole"),
    ("sulfamethoxazole", "phenprocoumon", "monitor", "strong", "INR"),
    # Rows of which one side was missing as well
    ("simvastatin", "erythromycin", "avoid", "strong", "erythromycin"),
    ("phenprocoumon", "metronidazole", "adjust", "strong", "INR"),
    ("phenprocoumon", "amiodarone", "adjust", "strong", "months after amiodarone"),
    ("acenocoumarol", "rifampin", "adjust", "strong", "much more"),
    ("phenprocoumon", "capecitabine", "avoid", "strong", "heparin"),
    ("mavacamten", "itraconazole", "adjust", "strong", "5 mg"),
    ("mavacamten", "felbamate", "adjust", "strong", "Labels before 2025"),
    ("mavacamten", "omeprazole", "adjust", "strong", "5 mg"), ("mavacamten", "diltiazem", "adjust", "strong", "5 mg"),
    ("darunavir", "rifampin", "avoid", "strong", "this inducer"),
    ("dolutegravir", "rifampin", "adjust", "strong", "twice a day"),
    ("dolutegravir", "carbamazepine", "adjust", "strong", "twice a day"),
    ("dolutegravir", "phenytoin", "avoid", "strong", "this inducer"),
    ("maraviroc", "rifampin", "adjust", "strong", "600 mg"),
    ("fluticasone", "ritonavir", "alternative", "moderate", "beclomethasone"),
    ("methadone", "efavirenz", "monitor", "strong", "withdrawal"),
    ("ibuprofen", "betrixaban", "avoid", "strong", "anticoagulant"),
    ("dicumarol", "ibuprofen", "monitor", "strong", "NSAID"),
    # Rows that published labels changed or added
    ("repaglinide", "clopidogrel", "avoid", "strong", "0.5 mg before each meal"),
    ("sirolimus", "voriconazole", "avoid", "strong", "ruled out beside sirolimus"),
    ("apixaban", "itraconazole", "avoid", "strong", "another anticoagulant"),
    ("dabigatran etexilate", "dronedarone", "avoid", "strong", "another anticoagulant"),
    ("edoxaban", "cyclosporine", "adjust", "strong", "30 mg"), ("edoxaban", "verapamil", "monitor", "strong", "30 mg"),
    ("nitroglycerin", "avanafil", "avoid", "strong", "12 hours of avanafil"),
    ("tadalafil", "ritonavir", "adjust", "strong", "72 hours"), ("vardenafil", "diltiazem", "adjust", "strong", "5 mg"),
    ("lomitapide", "verapamil", "avoid", "strong", "moderate CYP3A4"),
    ("lurasidone", "rifampin", "avoid", "strong", "inducer"),
    ("ranolazine", "phenobarbital", "avoid", "strong", "inducer"),
    ("digoxin", "clarithromycin", "monitor", "strong", "a third to a half"),
    ("colchicine", "voriconazole", "adjust", "strong", "a quarter"),
    ("sumatriptan", "eletriptan", "avoid", "strong", "triptan"),
    ("quetiapine", "clarithromycin", "avoid", "strong", "a sixth"),
    ("cariprazine", "diltiazem", "avoid", "moderate", "halve"),
    ("thioridazine", "propranolol", "avoid", "strong", "Do not give"),
    ("pimozide", "sertraline", "avoid", "strong", "this medicine"),
    ("deutetrabenazine", "paroxetine", "adjust", "strong", "36 mg"),
    ("valbenazine", "itraconazole", "adjust", "strong", "40 mg"),
    ("siponimod", "verapamil", "monitor", "strong", "cardiology"),
    ("ethinyl estradiol", "phenobarbital", "alternative", "strong", "copper"),
    ("moxifloxacin", "calcium carbonate", "monitor", "moderate", "eight hours after"),
    ("bosentan", "cyclosporine", "avoid", "strong", "cyclosporine"),
    ("omeprazole", "rilpivirine", "avoid", "strong", "rilpivirine"),
    ("rilpivirine", "omeprazole", "avoid", "strong", "famotidine"),
    ("metoclopramide", "paroxetine", "adjust", "strong", "5 mg"),
    ("dolutegravir", "efavirenz", "adjust", "strong", "twice a day"),
    ("dolutegravir", "phenobarbital", "avoid", "strong", "this medicine"),
    ("maraviroc", "ritonavir", "adjust", "strong", "150 mg"),
    ("raltegravir", "rifampin", "adjust", "strong", "800 mg"),
    # Newer drugs, and pairs that labels rule out
    ("vericiguat", "riociguat", "avoid", "strong", "its kind"), ("riociguat", "vericiguat", "avoid", "strong", "kind"),
    ("vericiguat", "tadalafil", "avoid", "strong", "PDE5"),
    ("sildenafil", "vericiguat", "avoid", "strong", "vericiguat"),
    ("fingolimod", "sotalol", "avoid", "strong", "this antiarrhythmic"),
    ("siponimod", "amiodarone", "avoid", "strong", "save with a cardiologist"),
    ("ozanimod", "quinidine", "avoid", "strong", "save with a cardiologist"),
    ("ponesimod", "metoprolol", "monitor", "moderate", "ask a cardiologist"),
    ("fingolimod", "diltiazem", "monitor", "strong", "without a cardiologist"),
    ("siponimod", "digoxin", "monitor", "strong", "with cardiology"),
    ("ozanimod", "selegiline", "avoid", "strong", "14 days"), ("ozanimod", "linezolid", "avoid", "strong", "14 days"),
    ("phenelzine", "ozanimod", "avoid", "strong", "ozanimod"), ("linezolid", "ozanimod", "avoid", "strong", "ozanimod"),
    ("ozanimod", "gemfibrozil", "avoid", "moderate", "gemfibrozil"),
    ("ozanimod", "rifampin", "avoid", "moderate", "rifampin"),
    ("sofosbuvir", "amiodarone", "avoid", "strong", "48 hours"), ("amiodarone", "sofosbuvir", "avoid", "strong", "48"),
    ("quinidine", "voriconazole", "avoid", "strong", "strong CYP3A4"),
    ("methadone", "itraconazole", "avoid", "strong", "itraconazole"),
    ("amiodarone", "ritonavir", "avoid", "strong", "ritonavir"),
    ("ritonavir", "flecainide", "monitor", "strong", "pause or change"),
    ("ritonavir", "simvastatin", "monitor", "strong", "pause or change"),
    ("venetoclax", "clarithromycin", "avoid", "strong", "70 mg"),
    ("venetoclax", "diltiazem", "adjust", "strong", "Halve"),
    ("aliskiren", "cyclosporine", "avoid", "strong", "cyclosporine"),
    ("ketorolac", "probenecid", "avoid", "strong", "probenecid"),
    ("sparsentan", "losartan", "avoid", "strong", "an ARB"),
    ("losartan", "sparsentan", "avoid", "strong", "sparsentan"),
    ("macitentan", "clarithromycin", "avoid", "strong", "strong CYP3A4"),
    ("macitentan", "fluconazole", "avoid", "moderate", "fluconazole"),
    ("duloxetine", "viloxazine", "avoid", "strong", "viloxazine"),
    ("viloxazine", "theophylline", "avoid", "strong", "one of the two"),
    ("spironolactone", "potassium chloride", "avoid", "strong", "with potassium"),
    ("potassium chloride", "amiloride", "avoid", "strong", "potassium-sparing"),
    ("imipenem", "valganciclovir", "alternative", "strong", "another antibiotic"),
    ("carbamazepine", "phenelzine", "avoid", "strong", "14 days"),
    ("solifenacin", "ketoconazole", "adjust", "moderate", "5 mg solifenacin"),
    ("lonafarnib", "fluconazole", "avoid", "strong", "moderate CYP3A4"),
    ("atorvastatin", "lonafarnib", "avoid", "strong", "lonafarnib"),
    ("ivabradine", "fluconazole", "avoid", "moderate", "2.5 mg"),
    ("capecitabine", "allopurinol", "monitor", "moderate", "the allopurinol"),
    ("allopurinol", "capecitabine", "avoid", "moderate", "capecitabine"),
    ("riociguat", "dipyridamole", "avoid", "strong", "dipyridamole"),
    ("theophylline", "riociguat", "avoid", "strong", "riociguat"),
    ("riociguat", "itraconazole", "adjust", "strong", "0.5 mg"),
    ("apomorphine", "ondansetron", "avoid", "strong", "setron"),
    ("granisetron", "apomorphine", "avoid", "strong", "apomorphine"),
    ("cilostazol", "omeprazole", "adjust", "strong", "50 mg"),
    ("pioglitazone", "gemfibrozil", "adjust", "strong", "15 mg"),
    ("artemether", "rifampin", "avoid", "strong", "inducer"),
    ("tamsulosin", "ketoconazole", "avoid", "strong", "CYP3A4"),
    ("selegiline", "phenelzine", "avoid", "strong", "another MAO"),
    ("moclobemide", "linezolid", "avoid", "strong", "another"),
    ("pseudoephedrine", "phenelzine", "avoid", "strong", "14 days"),
    ("rasagiline", "methylphenidate", "avoid", "strong", "methylphenidate"),
    ("levodopa", "tranylcypromine", "avoid", "strong", "14 days"),
    ("phenelzine", "levodopa", "avoid", "strong", "levodopa"),
    ("tetrabenazine", "selegiline", "avoid", "strong", "14 days"),
    ("deutetrabenazine", "valbenazine", "avoid", "strong", "its kind"),
    ("st. john's wort extract", "rasagiline", "avoid", "strong", "14 days"),
    ("selegiline", "st. john's wort extract", "avoid", "strong", "St. John's"),
    ("rasagiline", "ciprofloxacin", "adjust", "strong", "0.5 mg"),
    ("simvastatin", "lomitapide", "adjust", "strong", "20 mg"),
    ("baricitinib", "probenecid", "adjust", "strong", "Halve"),
    ("lumateperone", "fluconazole", "adjust", "strong", "21 mg"),
    ("lumateperone", "clarithromycin", "adjust", "strong", "10.5 mg"),
    ("lumateperone", "carbamazepine", "avoid", "strong", "inducer"),
    ("nilotinib", "clarithromycin", "avoid", "strong", "change the inhibitor"),
    ("bosutinib", "rifampin", "avoid", "strong", "inducer"), ("azathioprine", "ribavirin", "avoid", "strong", "week"),
    ("ribavirin", "mercaptopurine", "avoid", "strong", "every week"),
    ("capecitabine", "brivudine", "avoid", "strong", "4 weeks"),
    ("brivudine", "fluorouracil", "avoid", "strong", "valacyclovir"),
    ("naltrexone", "methadone", "avoid", "strong", "14 days"),
    ("oxycodone", "naltrexone", "avoid", "strong", "naltrexone"),
    ("tacrolimus", "cyclosporine", "avoid", "strong", "24 hours"),
    ("bictegravir", "rifampin", "avoid", "strong", "inducer"),
    ("bictegravir", "rifabutin", "avoid", "moderate", "inducer"),
    ("nirmatrelvir", "primidone", "avoid", "strong", "inducer"),
    ("mefloquine", "quinine", "avoid", "strong", "quinidine"),
    ("ketoconazole", "mefloquine", "avoid", "strong", "15 weeks")])
def test_it_is_told_at_the_drug_that_has_to_change(drug: str, other: str, action: str, strength: str,
                                                   says: str) -> None:
    known = {"phenotype:SLCO1B1": "Normal Function", "phenotype:CYP2B6": "Normal Metabolizer", "age": 50.0}
    held = [row for row in beside(drug, other, **known).checks if says in row.text]
    assert held
    assert (held[0].action, held[0].strength) == (action, strength)
    assert not [row for row in beside(drug, "zinc", **known).checks if says in row.text]


def test_what_is_only_foreseen_is_nothing_to_compare_the_present_dose_with() -> None:
    known = {"phenotype:SLCO1B1": "Normal Function", "phenotype:ABCG2": "Normal Function",
             "creatinine-clearance": 90.0}
    now, later = (beside("rosuvastatin", "darolutamide", later=coming, **known) for coming in (False, True))
    assert all("Start rosuvastatin at 5 mg" in str(advice(one)) for one in (now, later))
    assert (starting(now), starting(later)) == (True, False)


POOR = "Poor Metabolizer"


@pytest.mark.parametrize(("drug", "gene", "action", "says"), [
    ("aripiprazole", "CYP2D6", "adjust", "half the usual dose"), ("iloperidone", "CYP2D6", "adjust", "half the usual"),
    ("clozapine", "CYP2D6", "monitor", "side effects"), ("valbenazine", "CYP2D6", "adjust", "40 mg"),
    ("metoclopramide", "CYP2D6", "adjust", "5 mg"), ("clobazam", "CYP2C19", "adjust", "5 mg"),
    ("mavacamten", "CYP2C19", "adjust", "2.5 mg")])
def test_a_dose_by_the_genes_of_a_drug_without_a_guideline(drug: str, gene: str, action: str, says: str) -> None:
    held = [row for row in beside(drug, "zinc", **{f"phenotype:{gene}": POOR}).checks if says in row.text]
    assert [row.action for row in held] == [action]
    # A genome alone does as well, a gene that nobody knows says nothing.
    assert [row.action for row in outcome(covered()[drug], {f"phenotype:{gene}": POOR}).checks if says in row.text] == [
        action]
    assert not [row for row in beside(drug, "zinc").checks if says in row.text]


def test_a_dose_is_not_halved_twice_for_one_reason() -> None:
    one = beside("aripiprazole", "paroxetine", **{"phenotype:CYP2D6": POOR})
    assert str(advice(one)) == "Halve aripiprazole while the inhibitor is taken."


def test_lamotrigine_is_not_to_be_halved_and_raised_at_once() -> None:
    both = str(advice(beside("lamotrigine", "valproate", "phenytoin")))
    assert "Halve" in both
    assert "Give more" not in both
    assert "Give more" in str(advice(beside("lamotrigine", "phenytoin")))


@pytest.mark.parametrize(("days", "told"), [(0.0, True), (None, True), (183.0, False)])
def test_how_to_begin_allopurinol_with_weak_kidneys_is_not_for_who_has_taken_it_for_long(days: float | None,
                                                                                        told: bool) -> None:
    known = {"egfr": 40.0, "days-taken:allopurinol": days}
    assert ("Start allopurinol at 100 mg" in str(advice(beside("allopurinol", "zinc", **known)))) is told


@pytest.mark.parametrize(("drug", "others"), [("allopurinol", ["hydrochlorothiazide"]), ("carbamazepine", ["zinc"])])
def test_who_has_tolerated_it_for_years_is_asked_for_no_test_of_hla(drug: str, others: list[str]) -> None:
    one = beside(drug, *others, **{f"days-taken:{drug}": 999.0, "egfr": 90.0})
    assert not [name for name in unknown(one) if "HLA" in name]
    assert "gene-unknown" not in {caution["code"] for caution in cautions(one)}
    new = beside(drug, *others, **{f"days-taken:{drug}": 9.0, "egfr": 90.0})
    assert [name for name in unknown(new) if "HLA" in name]
