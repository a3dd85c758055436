"""The end users of the story: who they are, how they call, and how they pay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Customer:
    """`calls`: in a whole month. `abroad`: countries called, the favourite first. `account`: what the switch knows
    it by. `moves_to`: the carrier chosen in the middle of last month. `left`: what its prepaid wallet still holds."""

    code: str
    name: str
    brand: str
    habit: str
    calls: int
    abroad: str
    account: str
    address: str
    credit: int = 0
    carrier: str = ""
    moves_to: str = ""
    left: int = 60
    blocked: bool = False

    @property
    def postpaid(self) -> bool:
        return self.credit > 0


HARBOUR = [
    Customer("alster-hotel", "Hotel Alsterblick", "harbour", "hotel", 2600, "GB US DK CN FR", "H-1001",
             "An der Alster 62, 20099 Hamburg, Germany", carrier="atlas", moves_to="boreal", left=180),
    Customer("elbe-logistics", "Elbe Logistics GmbH", "harbour", "office", 2300, "NL CN TR PL SG", "H-1002",
             "Speicherstadt 4, 20457 Hamburg, Germany", credit=1500),
    Customer("speicher-kanzlei", "Kanzlei Speicher & Partner", "harbour", "office", 900, "CH AT GB LU", "H-1003",
             "Neuer Wall 80, 20354 Hamburg, Germany", credit=600),
    Customer("hafen-klinik", "Hafenklinik Hamburg", "harbour", "office", 1700, "TR PL SY AT", "H-1004",
             "Seewartenstrasse 10, 20459 Hamburg, Germany", credit=1200, carrier="boreal"),
    Customer("nordlicht-hostel", "Nordlicht Hostel", "harbour", "hotel", 850, "SE ES IT US", "H-1005",
             "Simon-von-Utrecht-Strasse 30, 20359 Hamburg, Germany", left=35),
    Customer("kontor-film", "Kontor Film", "harbour", "office", 520, "US FR GB", "H-1006",
             "Barnerstrasse 16, 22765 Hamburg, Germany", carrier="boreal"),
    Customer("werft-technik", "Werft Technik AG", "harbour", "office", 1150, "KR NO CN BR", "H-1007",
             "Hermann-Blohm-Strasse 3, 20457 Hamburg, Germany", credit=900),
    Customer("marina-shop", "Marina Shop", "harbour", "shop", 310, "DK NL", "H-1008",
             "Landungsbrücken 7, 20359 Hamburg, Germany", left=2),
    Customer("uni-elbe", "Universität Elbe", "harbour", "campus", 3600, "US GB IN CN FR BR", "H-1009",
             "Edmund-Siemers-Allee 1, 20146 Hamburg, Germany", credit=3000),
    Customer("fischmarkt", "Fischmarkt Handel", "harbour", "shop", 380, "NO IS NL", "H-1010",
             "Grosse Elbstrasse 137, 22767 Hamburg, Germany"),
    Customer("pension-anker", "Pension Anker", "harbour", "hotel", 240, "AT CH", "H-1011",
             "Deichstrasse 25, 20459 Hamburg, Germany", blocked=True),
]  # fmt: skip
PIER = [
    Customer("maas-hotel", "Hotel Maaszicht", "pier", "hotel", 1400, "BE DE GB US", "P-201",
             "Boompjes 77, 3011 XN Rotterdam, Netherlands", left=140),
    Customer("delta-notaris", "Delta Notariaat", "pier", "office", 480, "BE LU", "P-202",
             "Coolsingel 93, 3012 AE Rotterdam, Netherlands"),
    Customer("kade-design", "Kade Design Studio", "pier", "office", 430, "GB DE IT", "P-203",
             "Witte de Withstraat 12, 3012 BP Rotterdam, Netherlands"),
    Customer("polder-campus", "Polder Hogeschool", "pier", "campus", 1500, "DE CN TR ID", "P-204",
             "Kralingse Zoom 91, 3063 ND Rotterdam, Netherlands", credit=1500),
    Customer("bloem-export", "Bloem Export B.V.", "pier", "office", 760, "KE CO EC DE", "P-205",
             "Legmeerdijk 313, 1431 GB Aalsmeer, Netherlands", carrier="atlas", moves_to="boreal", left=260),
    Customer("gracht-b-and-b", "Gracht Bed & Breakfast", "pier", "hotel", 190, "DE FR", "P-206",
             "Oude Gracht 15, 3511 AD Utrecht, Netherlands"),
]  # fmt: skip
SUMMIT = [
    Customer("queensway-hotel", "Queensway Grand Hotel", "summit", "hotel", 3300, "CN JP SG US GB AU", "S-88001",
             "88 Queensway, Admiralty, Hong Kong", left=2400),
    Customer("pearl-trading", "Pearl River Trading", "summit", "office", 2100, "CN VN TH US", "S-88002",
             "12/F, 210 Nathan Road, Kowloon, Hong Kong", left=1800),
    Customer("lotus-serviced", "Lotus Serviced Apartments", "summit", "hotel", 1250, "CN TW JP PH", "S-88003",
             "33 Wyndham Street, Central, Hong Kong", carrier="boreal", moves_to="atlas", left=900),
    Customer("harbour-city-clinic", "Harbour City Clinic", "summit", "office", 600, "CN GB", "S-88004",
             "17 Canton Road, Tsim Sha Tsui, Hong Kong", left=400),
    Customer("dragon-garments", "Dragon Garments", "summit", "office", 1300, "BD CN IN IT", "S-88005",
             "150 Kwun Tong Road, Kowloon, Hong Kong", carrier="atlas", left=1100),
    Customer("victoria-college", "Victoria College", "summit", "campus", 1900, "CN GB AU CA", "S-88006",
             "5 Pok Fu Lam Road, Hong Kong", left=1500),
    Customer("jade-jewellers", "Jade Jewellers", "summit", "shop", 420, "TH MM CN", "S-88007",
             "60 Queen's Road Central, Hong Kong", left=15),
    Customer("star-ferry-tours", "Star Ferry Tours", "summit", "shop", 560, "JP KR TW", "S-88008",
             "9 Salisbury Road, Kowloon, Hong Kong", left=350),
    Customer("kowloon-legal", "Kowloon Legal", "summit", "office", 640, "GB SG CN", "S-88009",
             "77 Mody Road, Kowloon, Hong Kong", left=500),
    Customer("lantau-resort", "Lantau Bay Resort", "summit", "hotel", 1150, "CN AU KR US", "S-88010",
             "3 Silvermine Bay, Lantau, Hong Kong", left=800),
    Customer("mid-levels-dental", "Mid-Levels Dental", "summit", "office", 300, "CN", "S-88011",
             "41 Caine Road, Hong Kong", left=250),
]  # fmt: skip
MEADOW = [
    Customer("fen-hosting", "Fen Hosting", "meadow", "hosting", 3900, "US IE DE IN", "M-501",
             "22 Milton Road, Cambridge CB4 1UY, United Kingdom", credit=4000),
    Customer("cloudbarn", "Cloudbarn Support", "meadow", "hosting", 3300, "US CA IN PL", "M-502",
             "Unit 9, Science Park, Cambridge CB4 0FQ, United Kingdom", credit=3500, carrier="boreal"),
    Customer("cam-college", "Camside College", "meadow", "campus", 2100, "US FR CN IN", "M-503",
             "Trumpington Street, Cambridge CB2 1RB, United Kingdom", credit=2500),
    Customer("orchard-clinic", "Orchard Clinic", "meadow", "office", 620, "IE PK", "M-504",
             "18 Hills Road, Cambridge CB2 1JP, United Kingdom", credit=500),
    Customer("punt-inn", "The Punt Inn", "meadow", "hotel", 540, "US AU FR", "M-505",
             "2 Quayside, Cambridge CB5 8AB, United Kingdom", left=90),
    Customer("bytefield", "Bytefield Ltd", "meadow", "hosting", 1500, "UA RO US", "M-506",
             "40 Newmarket Road, Cambridge CB5 8DT, United Kingdom", credit=1800, carrier="atlas", moves_to="boreal"),
    Customer("ely-antiques", "Ely Antiques", "meadow", "shop", 160, "FR IT", "M-507",
             "8 Fore Hill, Ely CB7 4AF, United Kingdom", left=25),
]  # fmt: skip
DIRECT = [
    Customer("pine-street-legal", "Pine Street Legal", "northstar", "office", 1200, "GB CA CH", "N-3001",
             "60 Pine Street, New York, NY 10005, United States", credit=1000),
    Customer("brooklyn-makers", "Brooklyn Makers Co-op", "northstar", "shop", 420, "MX DO CN", "N-3002",
             "12 Jay Street, Brooklyn, NY 11201, United States"),
    Customer("hudson-hotel", "Hudson River Hotel", "northstar", "hotel", 1500, "GB FR BR JP DE", "N-3003",
             "300 West Street, New York, NY 10013, United States", carrier="atlas", moves_to="boreal", left=160),
    Customer("liberty-campus", "Liberty Institute", "northstar", "campus", 1700, "IN CN KR GB", "N-3004",
             "25 Broad Street, New York, NY 10004, United States", credit=2000),
    Customer("union-diner", "Union Diner", "northstar", "shop", 160, "GR MX", "N-3005",
             "31 Union Square, New York, NY 10003, United States"),
]  # fmt: skip
STRANGERS = [
    Customer("granite-mining", "Granite Mining", "quarry", "office", 470, "CL PE AU", "Q-11",
             "1200 17th Street, Denver, CO 80202, United States", left=120),
    Customer("summit-lodge", "Summit Lodge Aspen", "quarry", "hotel", 360, "MX GB", "Q-12",
             "500 Galena Street, Aspen, CO 81611, United States", left=75),
]  # fmt: skip

CUSTOMERS = [*HARBOUR, *PIER, *SUMMIT, *MEADOW, *DIRECT, *STRANGERS]
