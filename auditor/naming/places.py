"""Towns, countries and continents that folders are called after: where pictures come from, no class of what they show."""

from __future__ import annotations

_COUNTRIES = """
    africa america asia europe oceania algeria argentina australia austria bangladesh belgium bolivia brazil bulgaria cameroon
    canada chile china colombia croatia cyprus czechia denmark ecuador egypt england estonia ethiopia finland france georgia
    germany ghana greece hungary iceland india indonesia iran iraq ireland israel italy japan jordan kenya korea kuwait latvia
    lebanon lithuania luxembourg malawi malaysia mali mexico morocco mozambique nepal netherlands newzealand nigeria norway oman
    pakistan palestine peru philippines poland portugal qatar romania russia rwanda saudiarabia scotland senegal serbia
    singapore slovakia slovenia southafrica spain srilanka sudan sweden switzerland syria taiwan tanzania thailand tunisia
    turkey uganda ukraine uk uruguay usa venezuela vietnam wales yemen zambia zimbabwe"""
_TOWNS = """
    aachen aarhus abuja accra adelaide ahmedabad amsterdam ankara antwerp athens atlanta auckland austin baghdad bangalore
    bangkok barcelona basel beijing beirut belgrade bergen berlin bern birmingham bochum bogota bologna bombay bonn bordeaux
    boston bratislava bremen brisbane bristol brussels bucharest budapest buenosaires busan cairo calgary cambridge canberra
    capetown caracas cardiff changsha chengdu chennai chicago chongqing cleveland cologne copenhagen dakar dallas delhi denver
    detroit dhaka dijon doha dortmund dresden dubai dublin duesseldorf dusseldorf edinburgh eindhoven erlangen essen florence
    frankfurt freiburg geneva genoa ghent glasgow goettingen gothenburg graz grenoble groningen guangzhou haifa hamburg hangzhou
    hanoi helsinki hongkong houston hyderabad innsbruck islamabad istanbul izmir jakarta jena jerusalem
    johannesburg kampala karachi kathmandu kiel kiev kobe kolkata koeln krakow kualalumpur kyiv kyoto lagos lahore lausanne
    leeds leiden leipzig leuven liege lille lima linkoping lisbon liverpool ljubljana london losangeles luebeck lund lyon
    maastricht madison madrid magdeburg mainz malmo manchester manila mannheim marburg marseille melbourne memphis mexicocity
    miami milan milano minneapolis montevideo montpellier montreal moscow mumbai munich muenchen munster muenster nagoya nairobi
    nanjing nantes naples newcastle newyork nijmegen nottingham odense oslo osaka ottawa oulu oxford padua paris perth
    philadelphia pisa pittsburgh porto poznan prague pune quito regensburg rennes reykjavik riga riyadh rome roma rostock
    rotterdam saarbruecken salzburg sanfrancisco santiago saopaulo sapporo seattle seoul shanghai sheffield shenyang shenzhen
    sofia southampton stanford stlouis stockholm strasbourg stuttgart sydney taipei tampa tampere tehran telaviv tianjin tokyo
    toronto toulouse trieste trondheim tubingen tuebingen tunis turin turku uppsala utrecht valencia vancouver verona vienna
    vilnius warsaw wien wroclaw wuerzburg wuhan xian yokohama zagreb zhengzhou zurich zuerich"""
PLACES = frozenset((*_COUNTRIES.split(), *_TOWNS.split()))
"""In lower case, without spaces. Names that are also words of medicine or of machines are left out."""
