"""The families of scenes there are, and the choice among them."""

from __future__ import annotations

from visionpulse.providers.offline.scenery import (
    cells,
    city,
    cosmos,
    depths,
    desert,
    fields,
    fire,
    forest,
    garden,
    growth,
    interior,
    mountains,
    network,
    people,
    road,
    ruins,
    sea,
    storm,
    winter,
)
from visionpulse.providers.offline.scenery.brief import Brief, Family

FAMILIES: tuple[Family, ...] = tuple(
    family
    for family in (
        depths.FAMILY,
        sea.FAMILY,
        mountains.FAMILY,
        cosmos.NEBULA,
        cosmos.PLANET,
        forest.FAMILY,
        city.FAMILY,
        desert.FAMILY,
        fields.FAMILY,
        winter.FAMILY,
        storm.FAMILY,
        fire.FAMILY,
        people.FAMILY,
        ruins.FAMILY,
        road.FAMILY,
        garden.FAMILY,
        interior.FAMILY,
        network.FAMILY,
        cells.FAMILY,
        growth.FAMILY,
    )
)


def choose_family(brief: Brief) -> Family:
    """Return the family the words call for; without a word to go by, any that suits any text."""
    options = {family: family.vocabulary for family in FAMILIES}
    if not any(known.score(brief.told) and brief.allows(known) for known in options.values()):
        options = {family: known for family, known in options.items() if family.roams}
    return brief.choose(options) or FAMILIES[0]
