"""Keeps boards fresh: which repository it is at its host, when the host is asked again, and what a delivery means.

Everything is a reason to ask the host. The schedule, hooks, administrators and submissions only make a repository due
(``repository.check_at``). A check asks the host which repository it is, where it is and what its head is, and one
function applies the answer. So a reason may come twice, late, or by mistake: it costs a question, and does no harm.

=======================  ===============================================================================================
``host_answer.py``       what a host said, in the words of no host
``check.py``             ask about one repository, in the way that fits its host
``github_heads.py``      ask GitHub for a hundred at a time
``schedule.py``          what is due, one pass; ``host_pace.py``: how often a host is asked
``apply_answer.py``      what follows from an answer: a count, another name, a joined row, a name that was taken
``host_api.py``          the APIs of GitLab, Gitea and Forgejo
``stated_addresses.py``  the address that a redirect or an API names, checked
``name_check.py``        ask which repository it is before it is counted
``name_decisions.py``    what an administrator decides about a name that another repository has
``hooks/``               what a delivery of a webhook means, and what follows for the repository that it names
=======================  ===============================================================================================

A repository is identified by its host id. Its name is where it is found today: it keeps its row, board and id under
another one, and :mod:`podium.repositories.store.freshness.names` keeps the names that it had.
"""
