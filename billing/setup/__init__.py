"""Set-up: a whole installation's sellers, buyers and prices from one file, as often as wanted.

`./manage setup FILE.json` makes what is missing, changes what differs from the file and leaves the rest; a second run
changes nothing. What the file does not mention stays as it is, and nothing is ever deleted. One transaction: a file
with a mistake writes nothing, and the error says where it is (`$.parties[2].wallet.billing`).

Keys, by section; all sections and all keys without `!` may be missing. Codes are `[a-z0-9-]{1,32}`, unique in the
installation. Money and prices are numbers or numbers in quotes and are read exactly; times are ISO 8601 with offset,
or dates (midnight UTC).

    operator        code! name! + DETAILS, brands, members
    parties         a list, sellers before their buyers:
                    code! name! kind! (dealer, customer) seller! brand! since status + DETAILS,
                    wallet, brands, members, identities, carrier, carrier_from
      DETAILS       email contact phone address tax_id language
      brands        code! name! currency! time_zone language accent host sender address phone website tax_id,
                    logo_file (a PNG beside the set-up file) or logo (a PNG in base64)
                    prices: prices_include_tax tax_name tax_rate default_carrier below_cost dial_plan
                    paper: series! credit_series due_days approval_required paper calls_group attach_docx bank_name
                           bank_account bank_code payment_text footer copy_to
      members       email! role! (owner, finance, support, reader) name language,
                    password (set when the member is made, never changed) or invite (true: mailed a link)
      wallet        currency (the brand's) funding (wholesale, distribution) billing (prepaid, postpaid)
                    credit_limit warn_below overcommit; a party without `wallet` gets a prepaid wholesale one
      identities    kind! (account, caller, ip) value!: what in a usage record leads to the party
      carrier       the carrier the party chose, from carrier_from (without it: from the party's beginning) on
    exchange_rates  base! quote! rate! valid_from: 1 base = rate quote
    rate_tables     code! currency! owner (the operator) name decimals rounding time_zone band_rule holidays,
                    rates: prefix! price! effective_from effective_to destination connect_fee first_s step_s grace_s
                           free_s min_charge steps bands blocked
                    deck: file! (CSV beside the set-up file) effective answers; read only while the table is empty
    carriers        code! name! description cost_table offered active closed_reverts
    sources         code! name! owner (the operator) format time_zone dial_plan mapping carrier customer active
    destination_groups  code! seller (the operator) name destinations prefixes valid_from: for rules of lists
    price_lists     code! brand! name buyer carrier base_table or base_list active + decimals rounding time_zone
                    band_rule holidays,
                    follows (publication: derived from the base as it is known now, until somebody publishes; automatic)
                    terms: a list of valid_from markup addon connect_fee first_s step_s min_charge
                    rules: the same terms for one of service_class, group, prefix; the most specific holds
                    rates: the list's own rates, as in rate_tables
    products        code! brand! price! name group unit every (month, quarter, year, once) timing (advance, arrears)
                    anchor (calendar, start) resells (a product of the seller's seller) included (seconds or calls a
                    month) included_unit (seconds, calls) included_classes active; a price changes in the portal
    subscriptions   product! buyer! starts_on! quantity price note: known by product, buyer and note

Where a moment is missing (`since`, `valid_from`, `effective_from`), it is the beginning of 2000: always.
"""

from __future__ import annotations

from billing.setup.loading import load, load_file
from billing.setup.tally import Tally

__all__ = ["Tally", "load", "load_file"]
