"""The commit log: the commits of a count as compressed columns, in segments.

It is the source of every number of a board. It holds no name and no e-mail: a person is the ``ordinal`` of a row of
``commit_data``. :mod:`~podium.storage.commit_log.segment` is a segment in memory,
:mod:`~podium.storage.commit_log.codec` its bytes, and :mod:`~podium.storage.commit_log.segments` its table.
"""
