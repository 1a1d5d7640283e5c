"""The knowledge base 知识库: documents become articles, articles become passages, and a question finds its passage.

Nothing here speaks to the database. `Shelf` reads what the files say into articles of this city; `Finder` says which
passage answers a question, or that none of them does.
"""

from services.classify.knowledge.drafts import Draft, Fault
from services.classify.knowledge.finding import Finder, Wanted, terms
from services.classify.knowledge.matters import Matters
from services.classify.knowledge.passages import split
from services.classify.knowledge.reading import FileFaultError, drafts_in
from services.classify.knowledge.shelf import Shelf

__all__ = ["Draft", "Fault", "FileFaultError", "Finder", "Matters", "Shelf", "Wanted", "drafts_in", "split", "terms"]
