"""Full names: the key by which rows of one name join, and names that stand for anyone."""

from __future__ import annotations

import re
import unicodedata

from podium.textutil.fold import fold

# Longer names join nothing: this bounds the cost of hostile ones.
LONGEST = 100

# A name of such words was never filled in, or is a machine's ...
_PLACEHOLDERS = frozenset(
    """
    myself account anon anonymous author authors nickname person people someone somebody anyone nobody noone none null
    nil undefined unknown unnamed unspecified untitled empty blank available default example placeholder sample dummy
    temp tmp todo foo bar baz qux asdf qwerty abc xyz xxx lorem ipsum test tests tester testing change changeme insert
    enter set committed commit committer
    name names first firstname given givenname fname last lastname lname surname family familyname middle full fullname
    username user users login email mail e-mail address root admin admins administrator sysadmin system sudo superuser
    guest daemon service owner maintainer developer developers dev devel coder programmer contributor git github gitlab
    gitea bitbucket svn cvs hg host hostname localhost localdomain home server desktop laptop computer machine pc
    mac macbook imac windows linux ubuntu debian fedora centos vagrant docker ec aws azure
    build builder builds runner ci jenkins deploy deployer deployment
    unbekannt unbekannter benutzer vorname nachname voornaam achternaam naam onbekend nom prenom inconnu utilisateur
    nombre apellido apellidos usuario desconocido nome sobrenome utilizador desconhecido cognome utente sconosciuto
    imie nazwisko uzytkownik nieznany имя фамилия пользователь неизвестныи
    """.split()
)
# ... also with words of this kind between them.
_FILLERS = frozenset(
    """
    a an and at by for from here i in is it me my na no not of on one or our self the this to via we who yet you your
    air mini pro local new old real some any other dein ihr mein votre ton mon tu su mi seu meu tuo il la le el
    ваше ваша
    """.split()
)
_PLACEHOLDER_NAMES = frozenset(
    {"john doe", "jane doe", "joe bloggs", "joe user", "max mustermann", "erika mustermann", "a u thor", "c o mitter"}
    | {"no one", "no body", "some one"}
)
_WORDS = _PLACEHOLDERS | _FILLERS
# From the first letter of a word to its last.
_LETTERS = re.compile(r"[^\W\d_](?:.*[^\W\d_])?")


def may_equal(name: str) -> str | None:
    """:func:`full_name`, or the key that it would have. Most names equal no other one: this takes less time."""
    return " ".join(name.lower().split()) if name.isascii() else full_name(name)


def full_name(name: str) -> str | None:
    """The key of ``name`` for comparison; None if it is not a full name, so that rows of this name never join.

    A full name has two words or more that contain letters. An e-mail, a placeholder such as "Your Name", and a name
    with bytes that could not be decoded are none.
    """
    if len(name) > LONGEST or len(name.split()) < 2:
        return None
    # One ligature may become eighteen letters.
    if not name.isascii() and len(unicodedata.normalize("NFKD", name)) > 2 * LONGEST:
        return None
    folded = fold(name)
    letters = words = folded.split()
    if not all(map(str.isalpha, words)):
        letters = [found[0] for found in map(_LETTERS.search, words) if found]
        if "@" in folded or "\ufffd" in folded:
            return None
    if len(letters) < 2 or ("dot" in letters and "at" in letters) or _is_placeholder(letters):
        return None
    return " ".join(words)


def _is_placeholder(words: list[str]) -> bool:
    if words[0] in _WORDS and _WORDS.issuperset(words):
        return not _FILLERS.issuperset(words)
    return " ".join(words) in _PLACEHOLDER_NAMES
