"""The words of prescribers' directions, English and German: patterns and what they mean. Nothing is decided here."""

from __future__ import annotations

NUMBERS = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0,
           "half": 0.5, "half a": 0.5, "a half": 0.5, "one half": 0.5, "ein": 1.0, "eine": 1.0, "einen": 1.0,
           "zwei": 2.0, "drei": 3.0, "vier": 4.0, "halbe": 0.5, "eine halbe": 0.5, "1/2": 0.5, "1/3": 1 / 3,
           "2/3": 2 / 3, "1/4": 0.25, "3/4": 0.75}
TIMES = {"once": 1.0, "twice": 2.0, "thrice": 3.0, "einmal": 1.0, "zweimal": 2.0, "dreimal": 3.0, "viermal": 4.0}
PIECES = (r"tablets?(?:\(s\))?|tab(?:\(s\)|s)?|capsules?(?:\(s\))?|cap(?:\(s\)|s)?|caplets?|pills?|lozenges?|pieces?"
          r"|tabletten?|tbl|tabl|filmtabletten?|retardtabletten?|kapseln?|kps|dragees?|st\u00fcck|stk")
UNITS = {"mg": "mg", "milligrams?": "mg", "g": "g", "grams?": "g", "mcg": "ug", "ug": "ug", "\u00b5g": "ug",
         "\u03bcg": "ug", "micrograms?": "ug", "ml": "mL", "units?": "U", "ie": "[IU]", "iu": "[IU]"}
VERBS = r"sig:|take|give|nehmen|je"
_MONTH = 30.4375
# How often by itself: times a day.
OFTEN = {
    r"daily|every day|each day|a day|per day|qday|qd|q\.d\.|t(?:\u00e4glich|\u00e4gl|gl)|jeden tag|pro tag|am tag": 1.0,
    r"bid|b\.i\.d|bd|b\.d": 2.0, r"tid|t\.i\.d|tds|t\.d\.s": 3.0, r"qid|q\.i\.d|qds|q\.d\.s": 4.0,
    r"every other day|every second day|(?:on )?alternate days|qod|jeden zweiten tag|jeden 2\. tag": 1 / 2,
    r"every third day|jeden dritten tag": 1 / 3,
    r"weekly|every week|each week|a week|per week|qw|qwk|w\u00f6chentlich|jede woche|pro woche": 1 / 7,
    r"every other week|every second week|fortnightly|jede zweite woche": 1 / 14,
    r"monthly|every month|a month|per month|monatlich": 1 / _MONTH,
}
# "2 times a day", "3x t\u00e4glich": a number before one of these, by the days they are of.
COUNTED = {
    r"daily|(?:a |per |each |every |/ ?)?(?:day|d)|in 24 hours|t(?:\u00e4glich|\u00e4gl|gl)|(?:am |pro |je |/ ?)tag":
        1.0,
    r"weekly|(?:a |per |each |every |/ ?)?(?:week|wk)|w\u00f6chentlich|(?:pro |die |in der |/ ?)woche": 7.0,
    r"monthly|(?:a |per |each |every )?month|monatlich|(?:pro |im )monat": _MONTH,
}
# Every so many of these: days of one.
EVERY = {r"hours?|hrs?|h|stunden?|std": 1 / 24, r"days?|d|tage?": 1.0, r"weeks?|wks?|w|wochen?": 7.0}
# Times of the day; two words for one are one time.
MOMENTS = {
    r"(?:in the |every |each )?morning|qam|q\.a\.m|mane|morgens|am morgen|fr\u00fchs?": "morning",
    r"(?:at )?noon|(?:at )?midday|mittags|am mittag": "noon",
    r"(?:in the |every |each )?afternoon|nachmittags": "afternoon",
    r"(?:in the |every |each )?evening|qpm|q\.p\.m|abends|am abend": "evening",
    r"(?:at |every |each )?(?:night|bedtime)|nightly|qhs|q\.h\.s|nocte|nachts|zur nacht|vor dem schlafen(?:gehen)?":
        "night",
    r"(?:with |before |after )breakfast|(?:vor|nach|zu) dem fr\u00fchst\u00fcck|zum fr\u00fchst\u00fcck": "morning",
    r"(?:with |before |after )lunch|(?:vor|nach) dem mittagessen|zum mittagessen": "noon",
    r"(?:with |before |after )(?:dinner|supper|(?:the )?evening meal)|(?:vor|nach) dem abendessen|zum abendessen":
        "evening",
}
WEEKDAYS = {"monday": r"mondays?|montags?", "tuesday": r"tuesdays?|dienstags?", "wednesday": r"wednesdays?|mittwochs?",
            "thursday": r"thursdays?|donnerstags?", "friday": r"fridays?|freitags?",
            "saturday": r"saturdays?|samstags?|sonnabends?", "sunday": r"sundays?|sonntags?"}
# What changes nothing of how much: by which way, with what, for how long.
ASIDES = (r"by mouth|orally|oral|p\.?o|per os|via oral route|by oral route|peroral|under the tongue|sublingually"
          r"|subcutaneously|subcut|s\.?c|i\.?v|i\.?m"
          r"|(?:with|without|after|before) (?:food|a meal|water|a (?:full )?glass of water)|on an empty stomach"
          r"|n\u00fcchtern|(?:mit|vor|nach) (?:dem |der |einer )?(?:essen|mahlzeit|wasser)|unzerkaut"
          r"|(?:for|x|f\u00fcr) \d{1,3} (?:days?|weeks?|months?|tage?|wochen?|monate?)")
# Said of what is taken more than once a day.
AT_MEALS = r"(?:with|after|before) meals|zu den mahlzeiten|(?:vor|nach) den mahlzeiten"
AS_NEEDED = (r"\bprn\b|p\.r\.n|\bas[ -]needed|\bas required|\b(?:if|when) (?:needed|required|necessary)"
             r"|\bbei bedarf|\bb(?:ei|\.) ?bed\b|\bim bedarfsfall|\bnach bedarf|\bbedarfsweise|\bb\.? ?b\."
             r"|\bbedarfsmedikation|\bbei (?:schmerzen|fieber)")
# Whatever else is said, it may be meant once in some weeks.
LESS_THAN_DAILY = (r"week|w\u00f6chentl|woche|month|monat|fortnight|every other|alternate|\bq\.?o\.?d\b|\bqwk?\b"
                   r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|(?:mon|diens|donners|frei|sams|sonn)tags?\b"
                   r"|mittwochs?\b|sonnabend")
