"""What the server keeps between requests, and how a GET is answered from it.

Making a board takes up to a second, sending one that is ready a fraction of a millisecond. Boards change when their
repository is counted or its accounts are found, which every request can see in the repository's row.

**What is kept**

======================  ======================================  =====================================================
what                    where, under which key                  how it leaves
======================  ======================================  =====================================================
answers: bytes, gzip,   :class:`boards.BoardCache` in           Nobody deletes them. Their key contains the cache key
ETag                    :class:`memory.MemoryCache`: the name   of the row, so after a change they are not asked for
                        of the answer, its parameters and the   again, and the least recently used leave when the
                        cache key of the row                    cache is full (``PODIUM_BOARD_CACHE_BYTES``).
parts of boards:        the same cache: the name of the part,   The same. If an account that was found for another
people, activity,       the rules it depends on and the cache   repository changes this one's rows, everything of
accounts, rankings      key of the row, or of the count         this repository is dropped.
shortcuts: the answer   :class:`response_shortcut.Shortcuts`:   The least recently used leave; they hold no content.
of an address           path, query, scheme, host, and whether
                        the client is local
======================  ======================================  =====================================================

The cache key of a row is :func:`podium.leaderboard.board_data.cache_key`.

**How a GET goes through**

1. :class:`response_shortcut.ResponseShortcut` looks for a shortcut of the address. Without one, the request takes the
   usual way: routing, validation, and a route that calls ``BoardCache`` as below and leaves a shortcut.
2. :class:`row_batcher.RowBatcher` reads the row. Requests that arrive during one read share the next one.
3. ``BoardCache.find`` looks for the answer under the key of that row. At most every 15 seconds it also compares the
   accounts with the database, in the background.
4. If there is none, ``BoardCache.get`` makes it in a thread, once for all requests that want it
   (:class:`single_flight.SingleFlight`), from parts that are kept or made once (``MemoryCache.once``).
5. :class:`cached_response.CachedResponse` sends it: 304 if the client has it (:mod:`conditional`), gzip if it can.

A shortcut that finds no answer, or an error, takes the usual way. The shortcut saves more than half of the CPU time of
a request; without it everything works the same.
"""
