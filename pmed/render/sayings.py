"""Words that other parts of pmed and the records use and a report shows, for its catalogues; see ``phrases``.

In braces stands what varies. Nothing reads these tables: what is not here stays as it is made.
"""

from __future__ import annotations

from .messages import marked

#: What inputs are called.
INPUTS = (
    marked("age"), marked("sex"), marked("ancestry"), marked("height"), marked("weight"), marked("creatinine"),
    marked("bilirubin"), marked("albumin"), marked("sodium"), marked("inr"), marked("ast"), marked("alt"),
    marked("platelets"), marked("smoker"), marked("smoking status"), marked("pack years"), marked("pregnant"),
    marked("statin"), marked("diabetes"), marked("hypertension"), marked("heart failure"),
    marked("atrial fibrillation"), marked("stroke or tia"), marked("vascular disease"), marked("coronary disease"),
    marked("dialysis"), marked("ascites points"), marked("encephalopathy grade"), marked("waist"),
    marked("heart rate"), marked("temperature"), marked("respiratory rate"), marked("oxygen saturation"),
    marked("lithium level"), marked("the level of lithium"), marked("magnesium"), marked("potassium"),
    marked("the INR"), marked("the platelet count"), marked("the QTc time"), marked("the heart rate"),
    marked("genome"), marked("patient record"),
    marked("all inputs together"),
    marked("C-reactive protein"), marked("LDL cholesterol"), marked("QT interval"), marked("QTc interval"),
    marked("body mass index"), marked("body temperature"), marked("chloride"), marked("diastolic blood pressure"),
    marked("ejection fraction"), marked("glucose"), marked("haematocrit"), marked("haemoglobin"),
    marked("leukocytes"), marked("triglycerides"), marked("urea nitrogen"), marked("alkaline phosphatase"),
)
#: Conditions of the value sets.
CONDITIONS = (
    marked("ascites"), marked("asthma"), marked("bipolar disorder"), marked("breastfeeding"), marked("cancer"),
    marked("chronic hepatitis"), marked("chronic kidney disease"), marked("copd"), marked("dementia"),
    marked("depression"), marked("epilepsy"), marked("g6pd deficiency"), marked("gi bleeding"), marked("glaucoma"),
    marked("gout"), marked("helicobacter pylori"), marked("hepatic encephalopathy"), marked("hepatic impairment"),
    marked("intracranial bleeding"), marked("liver cirrhosis"), marked("long qt"), marked("myasthenia gravis"),
    marked("myocardial infarction"), marked("osteoporosis"), marked("parkinson disease"), marked("peptic ulcer"),
    marked("peripheral artery disease"), marked("porphyria"), marked("pregnancy"), marked("prostatic hyperplasia"),
    marked("seizure"), marked("chronic kidney disease stage {n}"), marked("ckd stage {n}"),
)
#: Values of inputs.
VALUES = (
    marked("White"), marked("Black or African American"), marked("Asian"), marked("other"), marked("white"),
    marked("black"), marked("or"), marked("and"), marked("former"), marked("never"), marked("current"),
    marked("low"), marked("moderate"), marked("high"), marked("very high"),
)
#: Where inputs share a bar.
SHARED = (
    marked("cannot be told apart, as a mixture with the reference patient is not assessed: {text}"),
    marked("reference patient"),
)
#: Units as German writes them.
UNITS = (
    marked("mg/week"), marked("mL/min"), marked("mL/min/1.73 m2"), marked("points"), marked("mL"), marked("mg/dL"),
    marked("g/dL"), marked("mm[Hg]"), marked("MG"), marked("years"),
)
#: Ways into the body.
ROUTES = (
    marked("oral"), marked("sublingual"), marked("buccal"), marked("ophthalmic"), marked("otic"), marked("nasal"),
    marked("inhalation"), marked("topical"), marked("transdermal"), marked("vaginal"), marked("rectal"),
    marked("intrauterine"), marked("urethral"), marked("intravenous"), marked("intramuscular"),
    marked("subcutaneous"), marked("intrathecal"), marked("intradermal"), marked("injection"), marked("{route} route"),
)
#: Actions in lists of what is possible.
ACTIONS = (
    marked("avoid"), marked("alternative"), marked("adjust"), marked("monitor"), marked("test"),
    marked("standard"), marked("not known"), marked("no recommendation"), marked("not assessed"),
)
#: Why something could not be assessed, as ``verdicts`` says it.
REASONS = (
    marked("needs {inputs}"),
    marked("medicines not recognised: {names}"),
    marked("the record lists no medicines"),
    marked("the last {name} ({n1} {unit}, of {n2} days ago) is too old to count"),
    marked("needs an admission to hospital: none is known"),
    marked("{name} {n1} is outside {n2} to {n3} {unit}"),
    marked("{name} {n1} is outside {n2} to {n3}"),
)
#: How bars were worked out.
METHODS = (
    marked("exact Shapley values against a stated reference patient"),
    marked("exact Shapley values against a stated reference patient; what is unknown adds no concern"),
)
#: What doubts a suggestion, besides what plugins say.
DOUBTFUL = (
    marked("Nothing was recorded about {drug} for {n} years: ask whether it is still taken"),
)
#: What was found while reading.
ISSUES = (
    marked("no index date was asked for; the last entry of the record, {day}, is used"),
    marked("'{name}' was read as {drug}: please confirm"),
    marked("'{name}' was read as {drug}: a part of it is not in the vocabulary and was not assessed"),
    marked("'{name}' is recorded as taken, and a later statement says that it is not: whether it is taken stays "
           "unknown"),
    marked("nothing was recorded about '{name}' for {n} years, and it is listed as taken: please ask whether it still "
           "is"),
    marked("'{name}' is not in the vocabulary: it was not assessed"),
    marked("'{name}' is no medicine of the vocabulary: an allergy to it is weighed only where it names a class"),
    marked("'{name}' (code {code}) names different drugs: {drugs}; none was taken"),
    marked("'{name}' (code {code}), also recorded as '{other}', names different drugs: {drugs}; none was taken"),
    marked("'{name}' (code {code}) names different drugs: {drugs}; an allergy to each is weighed"),
    marked("'{name}' (code {code}), also recorded as '{other}', names different drugs: {drugs}; an allergy to each is "
           "weighed"),
    marked("sample {sample} was read as the genome of patient {patient}, as the user said"),
    marked("the ids {key} differ in leading zeros or capitals only; they were read as different people: if they are "
           "one, each record lacks what is in the other"),
    marked("the header names no build: {build} was inferred from {n} known sites"),
    marked("zero-width or control characters were taken out"),
    marked("the genome of sample {sample} is {sex} by its chromosome X, the record says {other}: used as "
           "they are, because the user said so"),
)
