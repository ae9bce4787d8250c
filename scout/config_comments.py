"""The words of the scout.toml that `scout init` writes. A test holds that no setting is without its comment."""

from __future__ import annotations

HEADER = """\
# scout's settings. Everything works without this file; a line that begins with #key shows a default.
# Take its # away to change it. SCOUT_* in the environment wins over what is written here: SCOUT_ARXIV__ENABLED=0
# is [arxiv] enabled, lists are written as JSON. `scout doctor` checks this file.
"""

SUBJECTS = """
# What the digest is ordered by, and what decides what is worth your time before you have given a thumb. Change these,
# drop them, add your own: a slug (a-z, 0-9, -), a name, a description in a sentence or two, keywords, arXiv categories,
# and `liked`: papers that belong here, by arXiv id, DOI, address or BibTeX entry.
"""

SECTIONS = {
    "arxiv": "# Papers, by the announcements of these categories; the API fills the days you missed.\n",
    "huggingface": "# The community's daily picks, as a signal, and new open models of these organizations.\n",
    "sources": "# Which sources are polled, and how often. Blogs of your own: `scout sources add URL`.\n",
    "triage": "# How much of what came in is put before you.\n",
    "digest": "# The day's digest.\n",
    "net": "# How scout behaves on the network.\n",
    "github": "# Where code repositories are looked up.\n",
    "model": "# An open model that reads on, served by vLLM or anything that speaks like OpenAI. Without one, nothing is missing.\n",
    "research": "# Limits of one research of one item.\n",
    "eval": "# What `scout eval watch` measures of new open models, and where they are served (docs/models.md).\n",
    "dashboard": "# Where `scout dashboard` listens. It has no password: keep it on this machine.\n",
}

KEYS = {
    "reader": "The reader that commands act for unless --reader says otherwise.",
    "data_dir": "Where the database and the log live.",
    "arxiv.enabled": "Whether arXiv is polled.",
    "arxiv.categories": "arXiv's names of the categories: https://arxiv.org/category_taxonomy",
    "arxiv.rss_url": "Where announcements are read.",
    "arxiv.api_url": "Where missed days are filled from.",
    "arxiv.site_url": "Where abstracts, HTML and PDF pages are.",
    "arxiv.first_days": "Days fetched through the API when the very first poll meets a day without announcement.",
    "huggingface.enabled": "Whether the Hub is polled.",
    "huggingface.url": "Where the Hub is.",
    "huggingface.organizations": "Whose new models are listed as releases.",
    "sources.defaults": "Whether the shipped list of lab blogs is polled.",
    "sources.interval_minutes": "The shortest time between two polls of one source under `scout ingest --due`.",
    "triage.read_per_day": "About how many items a day the read lane should hold.",
    "triage.unsure_per_day": "About how many items a day the unsure lane should hold.",
    "triage.recall": "The share of what you would thumb up that the lanes hold, once thumbs can promise it; 0: sizes rule.",
    "triage.recall_of": "The same for single readers, by name.",
    "triage.allow": "# What is always worth reading.\n",
    "triage.allow.words": "Words or phrases in a title or text.",
    "triage.allow.authors": "Names of authors.",
    "triage.allow.categories": "arXiv categories, or a feed's tags.",
    "triage.allow.sources": "Ids of sources, as `scout sources list` shows them.",
    "triage.block": "# What is never shown in a digest; it wins over allow.\n",
    "triage.block.words": "Words or phrases in a title or text.",
    "triage.block.authors": "Names of authors.",
    "triage.block.categories": "arXiv categories, or a feed's tags.",
    "triage.block.sources": "Ids of sources, as `scout sources list` shows them.",
    "digest.timezone": "Whose midnight begins your day, such as Europe/Paris.",
    "digest.max_age_days": "What was published longer ago than this is not put in a digest.",
    "digest.per_subject": "The most items one subject holds.",
    "digest.unsure": "The most items of the unsure lane, shown last.",
    "digest.asks": "How many of the shown items are marked because a thumb on them would teach most.",
    "digest.explore": "Slots given by chance, so that what the policy would not show can still prove it wrong.",
    "net.allow_loopback": "Fetch addresses on this machine. For tests; off for a reason.",
    "net.allow_hosts": "Host names that may have private addresses: a feed inside your own network.",
    "net.contact": "Named in the User-Agent, so that a publisher can reach whoever polls.",
    "net.deadline_seconds": "The longest time one answer may take as a whole.",
    "net.max_bytes": "The most bytes of one answer, after unpacking.",
    "net.parse_seconds": "The longest time one feed may take to be read.",
    "net.parse_megabytes": "The most memory that may take.",
    "net.workers": "Sources polled at once.",
    "net.per_host": "Requests to one host at once.",
    "github.url": "Where GitHub is.",
    "model.base_urls": "Endpoints, such as http://127.0.0.1:8000/v1; several are balanced.",
    "model.name": "The model's name as served; empty takes the first that the endpoint lists.",
    "model.api_key": "Better kept out of files: SCOUT_MODEL__API_KEY.",
    "model.concurrency": "Requests under way at once.",
    "model.timeout_seconds": "The longest that one answer may take.",
    "model.items_per_run": "Items a run has the model read.",
    "model.tokens_per_run": "Tokens a run may spend.",
    "model.minutes_per_run": "Minutes a run may spend.",
    "model.entailment": "Ask the model of each point of a summary whether its sentences say so.",
    "research.rounds": "Rounds of thinking and looking; the last one answers.",
    "research.tokens": "Tokens it may spend.",
    "research.minutes": "Minutes it may spend.",
    "research.context_tokens": "Tokens the model is shown at once; the oldest tool results make room first.",
    "research.parallel": "Items researched side by side.",
    "eval.suites": "Suites that a release is measured with; `scout eval selfcheck` lists them.",
    "eval.items": "Items of each suite.",
    "eval.epochs": "How often each item is asked.",
    "eval.temperature": "At which temperature.",
    "eval.min_tokens": "Room for an answer where an item gives less, as models that think need.",
    "eval.organizations": "Whose releases are measured; empty takes all of huggingface.organizations.",
    "eval.max_age_days": "Releases older than this are left alone.",
    "eval.per_night": "Releases measured by one `scout eval watch`.",
    "eval.reference": "A model of an endpoint below that is measured again each night, to see whether the harness drifts.",
    "eval.concurrency": "Requests under way at once.",
    "eval.endpoint": """\
Where releases are served, the first rule that matches counting. Each is a table of its own at the end of this section:
[[eval.endpoint]]
match = ["Qwen/*"]            # releases by name
base_url = "http://127.0.0.1:8000/v1"
name = "{id}"                 # as served: {id} is the whole name, {name} what follows the slash
api_key_env = "MY_KEY"        # the variable that holds the key
price_prompt = 0.1            # a million tokens read; price_completion: written; price_hour: the machine""",
    "dashboard.address": "The address it listens on.",
    "dashboard.port": "The port it listens on.",
}
