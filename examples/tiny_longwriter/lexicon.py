"""The words of the toy language: topics, aspects, and what goes with all of them.

Tables of words -> `TOPICS`, `ASPECTS` and the lists that sentences draw from. Knows no grammar.
"""

# Tables read best as tables.
# ruff: noqa: E501, SIM905

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """What a text is about: `the harbor`, with its people, things and places."""

    name: str
    people: tuple[str, ...]
    things: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True)
class Aspect:
    """From which side a section looks at a topic, with its own nouns and verbs."""

    name: str
    headings: tuple[str, ...]
    points: tuple[str, ...]
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]


_TOPICS = """
harbor|pilots, dockers, sailors, captains|ropes, anchors, crates, cranes, hulls, buoys|quay, pier, breakwater
library|readers, clerks, scholars, binders|books, shelves, catalogs, maps, letters, lamps|reading room, archive, front hall
garden|growers, planters, neighbors, keepers|beds, hedges, seeds, roots, fences, pots|greenhouse, orchard, back gate
railway|drivers, signalmen, porters, engineers|engines, tracks, wagons, signals, tickets, switches|station, depot, crossing
bakery|bakers, millers, apprentices, buyers|loaves, ovens, sacks, trays, cakes, scales|counter, cellar, kitchen
river|boatmen, anglers, wardens, villagers|currents, banks, bridges, barges, weirs, reeds|ford, bend, landing
market|traders, buyers, carters, stewards|stalls, baskets, prices, cloths, spices, carts|square, arcade, corner
school|teachers, pupils, parents, tutors|lessons, desks, notebooks, songs, essays, games|classroom, yard, main hall
forest|foresters, hunters, hikers, rangers|trees, paths, logs, mosses, nests, clearings|lodge, ridge, glade
lighthouse|keepers, inspectors, sailors, builders|lenses, lamps, stairs, logbooks, horns, mirrors|tower, rocks, lantern room
theater|actors, painters, singers, directors|curtains, masks, scripts, costumes, scenes, lights|stage, gallery, dressing room
museum|curators, guides, visitors, donors|paintings, statues, coins, cases, labels, vases|east wing, vault, entrance
hospital|doctors, nurses, patients, porters|wards, records, bandages, beds, medicines, charts|clinic, corridor, pharmacy
farm|farmers, shepherds, millers, laborers|fields, barns, plows, herds, fences, crops|stable, meadow, mill
workshop|carpenters, smiths, joiners, apprentices|hammers, benches, planks, chisels, nails, drawers|forge, yard, loft
airport|pilots, travelers, guards, mechanics|runways, bags, planes, gates, schedules, radios|terminal, hangar, tower
bridge|masons, surveyors, walkers, engineers|arches, cables, piers, railings, stones, beams|north bank, toll house, deck
castle|knights, stewards, masons, cooks|walls, towers, banners, gates, shields, wells|courtyard, great hall, moat
village|elders, farmers, children, potters|cottages, wells, lanes, feasts, gardens, stories|green, chapel, mill
lake|fishers, rowers, swimmers, wardens|boats, nets, shores, reeds, islands, ducks|jetty, north shore, boathouse
mountain|climbers, guides, shepherds, surveyors|peaks, trails, huts, glaciers, ropes, cliffs|summit, pass, base camp
desert|nomads, traders, guides, drivers|dunes, camels, tents, wells, caravans, stars|oasis, salt flat, old road
island|islanders, fishers, weavers, sailors|beaches, boats, coves, palms, ferries, nets|bay, headland, village
orchestra|players, singers, conductors, tuners|violins, drums, scores, horns, rehearsals, melodies|concert hall, pit, podium
newspaper|editors, reporters, printers, readers|headlines, columns, presses, photos, stories, notes|newsroom, print shop, front desk
observatory|astronomers, students, guides, makers|telescopes, domes, charts, comets, lenses, clocks|dome, roof, hilltop
brewery|brewers, coopers, tasters, carters|barrels, hops, kettles, bottles, taps, yeasts|cellar, tasting room, malt floor
post office|clerks, carriers, sorters, riders|letters, parcels, stamps, routes, sacks, boxes|counter, sorting room, annex
mine|miners, foremen, haulers, engineers|tunnels, carts, lamps, ores, pumps, shafts|pit, surface, lower level
vineyard|growers, pickers, tasters, coopers|vines, grapes, casks, terraces, presses, corks|cellar, south slope, press house
weather station|observers, pilots, farmers, students|clouds, gauges, winds, forecasts, balloons, records|roof, field, coast
printing house|printers, authors, binders, readers|presses, inks, pages, types, covers, proofs|press room, bindery, shop
fire brigade|firefighters, drivers, cadets, officers|hoses, ladders, alarms, engines, helmets, pumps|fire house, tower, drill yard
aquarium|keepers, divers, visitors, biologists|tanks, corals, filters, sharks, pumps, shells|tunnel, deep tank, touch pool
glassworks|blowers, cutters, traders, designers|furnaces, bottles, windows, molds, beads, panes|hot shop, packing room, gallery
pottery|potters, painters, diggers, buyers|bowls, kilns, glazes, wheels, tiles, jugs|kiln shed, clay pit, drying loft
ski resort|skiers, guides, waiters, patrols|slopes, lifts, sledges, huts, poles, gloves|valley, summit, rental shop
cinema|owners, critics, actors, viewers|films, screens, posters, seats, reels, trailers|foyer, projection room, back row
zoo|keepers, children, vets, gardeners|cages, lions, parrots, ponds, elephants, monkeys|reptile house, main gate, petting yard
canal|bargemen, engineers, walkers, keepers|locks, barges, towpaths, gates, tunnels, cargoes|basin, aqueduct, wharf
"""

_ASPECTS = """
origins|Early Days; First Steps; How It Began|how it all began and who took part; the first years and what they left behind|founders, pioneers, beginnings, legends, charters|founded, imagined, planned, named, discovered, claimed
work|Daily Work; A Working Day; Hands at Work|what has to be done each day and by whom; the tasks that fill the hours|tasks, shifts, routines, duties, breaks|handled, sorted, moved, carried, prepared, arranged
people|The People; Those Who Stay; Faces and Names|who the people are and how they live together; the lives behind the place|families, friends, strangers, newcomers, crews|welcomed, trusted, greeted, helped, taught, remembered
tools|Tools and Methods; Good Tools; How It Is Done|which tools are used and how they are kept; the methods that proved their worth|tools, machines, devices, methods, spare parts|sharpened, oiled, repaired, tested, borrowed, replaced
trade|Trade and Money; What It Costs; Earning a Living|what is bought and sold and at what price; where the money comes from and where it goes|coins, debts, bargains, wages, profits|bought, sold, weighed, paid for, priced, exchanged
dangers|Risks and Dangers; Hard Times; When Things Fail|what can go wrong and how people prepare; the accidents that are still told of|storms, accidents, warnings, losses, mistakes|feared, avoided, survived, watched, warned about, lost
seasons|Through the Seasons; A Year; Summer and Winter|how the year changes the place; what each season brings and takes|frosts, rains, thaws, harvests, holidays|waited for, covered, opened, closed, gathered, stored
rules|Rules and Order; The Law; Fair Play|which rules hold and who watches over them; how quarrels are settled|rules, permits, fines, councils, promises|allowed, forbade, signed, enforced, debated, approved
learning|Learning the Craft; Lessons; From Master to Student|how the craft is learned and passed on; what beginners must know first|skills, exercises, questions, examples, secrets|studied, practiced, explained, copied, corrected, mastered
buildings|Walls and Roofs; The Buildings; Built to Last|how it was built and of what; what the buildings tell of their makers|walls, roofs, doors, stairs, foundations|built, measured, painted, restored, raised, tore down
food|Food and Drink; At the Table; Bread and Soup|what people eat and drink there; the meals that bring everyone together|meals, soups, recipes, breads, kettles|cooked, served, shared, tasted, salted, baked
stories|Stories and Songs; Old Tales; What Is Told|the stories that are told in the evening; songs and tales that everyone knows|tales, songs, jokes, poems, rumors|told, sang, invented, whispered, wrote down, recited
nature|Plants and Animals; The Living World; Wild Neighbors|which plants and animals live close by; how nature shapes the place|birds, flowers, insects, weeds, foxes|fed, counted, protected, chased, planted, admired
changes|Times of Change; Old and New; A New Era|what has changed and what stayed; how new ideas came in|reforms, inventions, plans, fashions, doubts|changed, improved, modernized, rejected, adopted, doubted
future|Looking Ahead; The Future; What Comes Next|what is planned for the years to come; hopes and worries about the future|hopes, projects, visions, budgets, chances|planned for, hoped for, designed, promised, expected, proposed
"""

ADJECTIVES = tuple(
    "old new quiet heavy bright plain narrow wide strong gentle simple careful famous hidden "
    "wooden tall small large early late clean rough patient honest busy proud humble modern "
    "ancient sturdy pale golden distant familiar useful rare common sudden steady fragile "
    "colorful empty crowded broken polished".split()
)
ADVERBS = tuple(
    "slowly carefully quietly quickly often rarely always gladly calmly together patiently "
    "easily proudly secretly openly firmly neatly cheerfully silently wisely".split()
)
TIMES = tuple(
    "every spring;before sunrise;after the long winter;on market days;in the evening;"
    "for many years;since the great flood;at the end of the week;during the summer;in bad weather;"
    "long before the war;once a month;without a break;until late at night;in those days;"
    "at first light;after the feast;in the second year;on quiet afternoons;before the rain came;"
    "in the same week;from time to time;all year round;in cold months;by candlelight".split(";")
)
REASONS = tuple(
    "because nobody else would;so that nothing was wasted;as their parents had done;"
    "although it took all day;because the old way had failed;to save time and money;"
    "so that everyone could see;as long as the light lasted;even when money was short;"
    "because the season was short;to keep the peace;so that the young could learn;"
    "although few people noticed;until the bell rang;while the others rested;"
    "since the weather was kind;to make the place safer;as the custom demanded;"
    "because it looked better;for the good of all;while the visitors looked on;"
    "in spite of the cold;with very little help;under the eyes of the council".split(";")
)
OPENERS = tuple(
    "In most years;At times;As a rule;Even today;Now and then;Step by step;In the end;"
    "On the whole;More than once;To this day;In good years;In bad years;At the beginning;"
    "Year after year;Without much noise;As everyone knows;By and by;For a while;"
    "Not far away;Little by little;After some time;Once in a while;In their free hours;"
    "With great care;According to the records;To everyone's surprise".split(";")
)
AMOUNTS = tuple("some many few several most countless".split())
CLAIMS = tuple(
    "nothing is ever quite finished;patience matters more than strength;good work speaks for "
    "itself;the small things count;no two days are alike;the past is never far away;"
    "everyone has a part to play;a plan is only a beginning;trust is earned slowly;"
    "luck favors the careful;old habits are hard to break;the best ideas are simple;"
    "every answer brings a new question;time changes everything;silence can be useful;"
    "the first try seldom works;much depends on the weather;nobody works alone".split(";")
)
SPEAKERS = tuple(
    "an old saying;a worn notice;a visitor;the oldest record;a letter;a local poet;"
    "a young helper;a former owner;one report;the town clerk;a retired worker;a children's "
    "rhyme".split(";")
)
ENDINGS = tuple(
    "So the story of the {topic} comes to a close.;In the end, the {topic} belongs to everyone "
    "who cares for it.;That is how the {topic} became what it is.;And so the {topic} goes on.;"
    "What remains is a {topic} that people are proud of.;Thus the {topic} keeps its place in "
    "the world.".split(";")
)


def _cells(cell: str, mark: str = ",") -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(mark))


def _topic(line: str) -> Topic:
    name, people, things, places = line.split("|")
    return Topic(name, _cells(people), _cells(things), _cells(places))


def _aspect(line: str) -> Aspect:
    name, headings, points, nouns, verbs = line.split("|")
    return Aspect(name, _cells(headings, ";"), _cells(points, ";"), _cells(nouns), _cells(verbs))


TOPICS = tuple(_topic(line) for line in _TOPICS.strip().splitlines())
ASPECTS = tuple(_aspect(line) for line in _ASPECTS.strip().splitlines())
