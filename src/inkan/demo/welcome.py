"""What a newcomer reads when the test country runs: the story in two windows, then the same at a terminal."""

from inkan.demo.counter import ADDRESS
from inkan.demo.country import Country, card_desk_origin
from inkan.demo.library import library_origin
from inkan.demo.town import town_hall_origin


def welcome(founded: Country, *, port: int) -> str:
    """The text for a terminal; every address of the story stands in it, in the order in which it is needed."""
    return "\n".join(
        (_windows(founded, port), _terminal(founded), "Stop the country with Ctrl-C.\n")
    )


def _windows(founded: Country, port: int) -> str:
    people = [each.part for each in founded.citizens.values()]
    cards = "\n".join(f"      {each.name}, PIN {each.pin}, {each.national_id}" for each in people)
    first = people[0]
    return f"""
The test country runs. Open two windows of one browser side by side: a narrow one is the phone, the other one the desk.

1. Begin. The phone and the enrolment page:

      phone   {founded.wallet_origin}/
      desk    {founded.platform_origin}/enrol

   Phone: "I understand". No screen lock on this computer? "Use the practice lock", and choose digits when asked.
   Desk: "Read the terms", tick twice, "Begin". A code is shown.

2. Bind. Phone: "The page is open: go on", "Scan the code". Without a camera: "It does not work with the camera", then
   "Look at another window of this computer" and choose the desk's tab or window; the whole code must be in view there.
   (Or paste the address that stands on the page under "No camera?".) The phone makes its keys and shows 8 digits.
   Desk: "Open the card program". Choose {first.name}, type the 8 digits and the PIN {first.pin}, "Sign with the card".
   The card desk leads back; it stands at {card_desk_origin(port)}/. Its cards, PINs and national IDs:

{cards}

3. Be asked. The tax office wants to know who is there:

      desk    {founded.office_origin}/

   Desk: "Show the code". Phone: "Home", "Scan the code to identify yourself", as before. Read who asks, "Approve".
   The tax office says welcome, and shows the receipt. "Download the receipt" keeps it.

4. See it again. Phone: "Records". In the person's home, with the same phone, and for anybody who has the receipt:

      desk    {founded.platform_origin}/my
      desk    {founded.platform_origin}/verify

   The tax office has four more doors. "Message to the phone" needs the national ID; the phone shows the question by
   itself and asks for the digits of the page.

5. Log in somewhere else. The library's reading room speaks plain OpenID Connect; the platform's page does the rest:

      desk    {library_origin(port)}/

   Desk: "Log in with your phone", "Get QR code". Phone: as before. The room says which number stands for you there.

6. Make a card. The counter, and the reader beside it in a window of its own; its cards have their PINs written on them:

      desk    {founded.platform_origin}/counter/login
      reader  {card_desk_origin(port)}/reader

   Reader: choose a clerk, "Change the card". Desk: log in by card; the pairing code that the page asks for stands on
   the reader's page, and every PIN is typed there. Then a case for {people[1].name}: change to a blank card at the right step.

7. Sign a form. The town hall trusts a root of its own and reaches the cards of citizens over a bridge:

      desk    {town_hall_origin(port)}/

   Reader: choose {first.name}, "Change the card". Desk: "Open the form"; born {first.birth_date}, address
   {ADDRESS}. "Go on to the signature", "Digital signature"; type the pairing code of the reader's page once, and the
   longer PIN there. Then "Send".

8. Bind at a kiosk. The rules of Japan bind a phone there and nowhere else; it takes a phone of its own and a card that
   has bound none, so {people[1].name}'s of step 6. Phone: a private window. Desk: the kiosk, which is set up once:

      desk    {founded.platform_origin}/kiosk
      name    {founded.kiosk.kiosk.name}
      secret  {founded.kiosk.secret.reveal()}

   The kiosk may ask for the secret of the reader's page, too. Phone: "I understand", "Bind at a kiosk", "Make the
   registration key". Desk: type its 26 characters, "Sign with the card"; digits of the phone and PIN go to the reader's
   page. "Yes, show the number"; type it into the phone.
"""


def _terminal(founded: Country) -> str:
    card = founded.folder / "cards" / "lin.card"
    citizen = founded.citizens["lin"]
    return f"""
The same with a phone at a terminal, bound with the card of {citizen.part.name} (PIN {citizen.part.pin}):

    inkan phone enrol --platform {founded.platform_origin} --card {card} --phone my.phone

    Scan a code             inkan phone open --phone my.phone --camera ADDRESS
    Message to the phone    inkan phone waiting --phone my.phone
                            inkan phone open --phone my.phone --approval ID --code 123456
    On this phone, or app   inkan phone open --phone my.phone --link ADDRESS

    inkan phone approve --phone my.phone

Each page says under "No camera?" which address that is. After --link, "approve" prints the address that leads the
browser back; open it in the browser that began, within a minute. You choose the passphrase of my.phone.
"""
