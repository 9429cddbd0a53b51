"""The demo corpus' words, by the role that they play in its sentences; order is frequency, commonest first."""

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
OFFSETS = (
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


NUMBERS = _words(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
WOMEN = _words(
    "Maria Anna Clara Mina Lena Rosa Ella Nora Ida Vera Alma Julia Greta Paula Elena Sofia Irene Lucia Hanna "
    "Marta Edith Olga Zara Tessa"
)
MEN = _words(
    "Peter Otto Hugo Karl Emil Oscar Felix Leo Victor Bruno Anton Martin Jonas Simon Pablo Ivan Henry Oliver "
    "Daniel Robert Walter Arthur Ralph Samir"
)

# --- outcomes -------------------------------------------------------------------------------------------
GLAD = _words(
    "proud happy glad joyful delighted cheerful thrilled grateful hopeful triumphant confident pleased "
    "relieved excited content radiant"
)
SAD = _words(
    "ashamed sad upset miserable gloomy bitter hopeless guilty unhappy worried disappointed lonely "
    "embarrassed angry anxious defeated"
)
REJOICED = _words("celebrated cheered smiled laughed danced applauded rejoiced sang")
GRIEVED = _words("regretted wept sighed cried frowned grieved apologised mourned")
WON = _phrases(
    "won the race, passed the exam, finished the project, earned the medal, solved the puzzle, "
    "reached the summit, won the contest, published the novel, got the scholarship, broke the record, "
    "mastered the sonata, completed the bridge, saved the company, won the trophy, gained the promotion, "
    "cured the patient, launched the rocket, discovered the comet, won the debate, opened the gallery"
)
LOST = _phrases(
    "lost the race, failed the exam, ruined the project, missed the medal, botched the puzzle, "
    "abandoned the summit, lost the contest, burned the novel, forfeited the scholarship, wasted the record, "
    "forgot the sonata, wrecked the bridge, bankrupted the company, dropped the trophy, lost the promotion, "
    "harmed the patient, crashed the rocket, overlooked the comet, lost the debate, closed the gallery"
)
PRAISED = _words("praised congratulated thanked honoured rewarded promoted admired welcomed")
BLAMED = _words("blamed scolded rejected punished criticised dismissed mocked ignored")
SPLENDID = _words("splendid brilliant perfect superb wonderful remarkable victorious flawless")
DREADFUL = _words("dreadful terrible hopeless awful dismal disastrous pitiful shameful")
SUCCESS = _words("success victory triumph prize reward honour breakthrough win")
DEFEAT = _words("failure defeat disaster mistake loss disgrace setback collapse")
EFFORT = _words("trained practised studied worked prepared struggled rehearsed waited experimented planned")
SPANS = _phrases(
    "many weeks, several months, two years, a long winter, the whole summer, some days, a full year, "
    "three seasons, countless hours, a decade"
)
JUDGES = _words("teacher judge coach director mayor captain editor professor manager jury chief examiner")
KIN = _words("family team mother father brother sister crowd village class friends neighbours colleagues")
OCCASIONS = _words("race exam contest match concert trial interview debate tournament audition lecture ceremony")
MOMENTS = _phrases(
    "In the evening, At the end, Later that day, In the morning, At noon, After the match, At home, "
    "On the train, After the meeting, At midnight"
)

# --- places ---------------------------------------------------------------------------------------------
CITIES = _words(
    "Lisbon Vienna Oslo Cairo Lima Kyoto Prague Dublin Athens Nairobi Quito Geneva Havana Porto Bergen Delhi "
    "Boston Toronto Sydney Hanoi Tunis Riga Seoul Accra"
)
PLACES = _words(
    "harbour station market library museum church square bridge park theatre castle school hospital garden "
    "airport factory tower hotel village cafe lighthouse temple stadium canal palace mill bakery embassy "
    "cemetery monastery warehouse prison fountain observatory"
)
NEAR = _phrases("near, behind, beside, opposite, above, below, beyond, facing")
TRAVELLED = _words("walked drove cycled travelled ran hurried wandered marched sailed returned")
STREETS = _words("Mill Church River Garden Castle Station North South King Queen Bridge Forest")
DISTANT = _words("northern southern eastern western old central distant upper lower ancient")

# --- food -----------------------------------------------------------------------------------------------
FOODS = _words(
    "bread soup rice cheese apples beans pasta fish potatoes salad eggs chicken cake carrots noodles mushrooms "
    "tomatoes lentils beef honey onions pancakes dumplings olives yoghurt spinach sausages cabbage pears "
    "cherries grapes plums pumpkin peppers porridge shrimp ham peas stew waffles"
)
DRINKS = _words("tea coffee milk juice water wine cocoa lemonade beer cider")
SPICES = _words("salt pepper garlic ginger mint basil cinnamon saffron vinegar mustard butter sugar")
MEALS = _words("breakfast lunch dinner supper dessert")
COOKED = _words("cooked baked fried boiled roasted grilled steamed served sliced seasoned")
TASTES = _words("sweet salty sour spicy fresh crisp creamy bland tender juicy")
COOKS = _words("cook baker waiter chef grocer butcher grandmother innkeeper")

# --- the rest of the world ------------------------------------------------------------------------------
ADJECTIVES = _words(
    "small large red green quiet young heavy blue yellow tall thin broken grey wooden round narrow bright dark "
    "soft rough empty white black silver dusty wet strange plain steep hollow smooth pale rusty golden tiny "
    "crooked cold warm dry slow"
)
BEASTS = _words(
    "dog cat horse fox cow goat wolf bear mouse rabbit sheep donkey deer hare badger squirrel camel lion tiger "
    "elephant monkey pig otter hedgehog"
)
BIRDS = _words("crow sparrow eagle owl swan duck goose heron falcon pigeon robin stork gull parrot raven wren")
FISH = _words("trout salmon eel carp shark whale dolphin seal crab turtle perch pike")
RAN = _words("ran jumped slept limped grazed crept galloped trotted rested waited")
FLEW = _words("flew soared perched nested glided circled fluttered landed")
SWAM = _words("swam dived drifted floated splashed lurked")
WITH_LEGS = _words("under behind around past through into")
ALOFT = _words("over above across along toward")
THINGS = _words(
    "table fence wall tree box chair cart barrel ladder door stone basket lamp wheel roof bench rope shelf "
    "window bucket carpet clock drum engine gate hammer kettle mirror piano sofa statue tent trunk wagon "
    "wardrobe candle curtain cushion blanket pillow"
)
WATERS = _words("river lake pond sea stream bay lagoon reef marsh waterfall")
SKIES = _words("forest field hill valley meadow mountain cliff desert orchard island")
WEATHER = _words("rain wind snow fog sun storm frost thunder hail heat")
FELL = _words("fell came returned stopped faded grew ended began")
SEASONS = _words("spring summer autumn winter")
WORKERS = _words(
    "farmer doctor sailor painter tailor miner nurse carpenter soldier lawyer plumber weaver potter gardener "
    "driver clerk pilot shepherd fisherman mason"
)
MADE = _words("repaired carried painted sold bought cleaned moved measured opened lifted pushed hid")
HOW = _words("slowly carefully quickly again together alone often rarely twice quietly")

# --- quotations -----------------------------------------------------------------------------------------
SAID = _words("said asked whispered shouted replied answered murmured called")
REQUESTS = _phrases(
    "Please bring the, Do not touch the, Where is the, I need the, Who took the, Give me the, Look at the, "
    "We should keep the, You may borrow the, Nobody wants the"
)
REMARKS = _phrases(
    "I will come tomorrow, It is late, We must leave now, That is not mine, You are right, I do not know, "
    "Nothing has changed, Let us begin, They have gone, This is enough"
)

# --- code-like lines ------------------------------------------------------------------------------------
VARIABLES = _words("x y z i n total count item index node list data result buffer token value")
DIGITS = _words("0 1 2 3 4 5 6 7 8 9")
CALLS = _words("print len sum max sort open close push pop read write parse")
MARKS = _words("bold red b i em h1 title code link table")
COMPARED = _words("< > == != <= >=")

HELD = _words("held counted recited listed")
GREETED = _words("greeted thanked met called visited invited followed warned")
