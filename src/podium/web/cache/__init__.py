"""What the server keeps between requests, and how it answers a GET.

Making a board takes up to a second, sending a cached one a fraction of a millisecond. A change of a board shows in
its repository's row, which every request reads. A hot board's row is read twice a second: changes of this process show
at once, those of others within half a second.

**What is kept**

=========================  ============================================  ============================================
what                       where, under which key                        eviction
=========================  ============================================  ============================================
responses: bytes, gzip,    :class:`boards.BoardCache` in                 A change of the row changes the key; the
ETag                       :class:`memory.MemoryCache`: name,            least recently used leave a full cache
                           parameters, cache key of the row              (``PODIUM_BOARD_CACHE_BYTES``).
parts of boards: people,   the same cache: name, rules that it depends   The same. Accounts found for another
activity, accounts,        on, cache key of the row or the count         repository can change this one's rows: then
rankings                                                                 everything of this repository is dropped.
responses and rankings     a quarter of the same memory, so that a       The same.
under other parameters     client that varies them evicts only variants
than the default ones
shortcuts: URL to cached   :class:`response_shortcut.Shortcuts`: path,   The least recently used, and of each board
response                   query, origin                                 those beyond 50.
rows of completed boards   :class:`row_batcher.RowBatcher`: key or id    Half a second, or a write of this process;
                                                                         then the least recently used.
pages of the list of       :class:`listing_cache.ListingCache`:          The same.
repositories               selection, limit and offset
numbers of people, for     the repository's row;                         The next count.
lists of boards            :class:`people_counts.PeopleCounts` saves
                           them when the people are ranked
=========================  ============================================  ============================================

A page depends on the origin. It is kept only for the few origins of :func:`podium.web.origin.known_origin`, so that a
client cannot make variants with the ``Host`` header.

The cache key of a row is :func:`podium.leaderboard.board_data.cache_key`.

**How a GET is answered**

1. :class:`response_shortcut.ResponseShortcut` looks up the URL. Without a shortcut, the request passes routing and
   validation, and its route calls ``BoardCache`` as below and leaves a shortcut, unless the URL's window depends on
   the day.
2. :class:`row_batcher.RowBatcher` reads the row, in one batch for concurrent requests, unless it has read that of a
   completed board a moment ago.
   :class:`last_reads.LastReads` notes reads of branches and tags.
3. ``BoardCache.find`` looks up the response under the key of that row. Every 15 seconds at most, it compares the
   accounts with the database in the background.
4. On a miss, the client's budget must allow it (:class:`waiting_client.WaitingClient`). ``BoardCache.get`` makes the
   response in one of two threads (:class:`read_threads.ReadThreads`), once for all requests
   (:class:`single_flight.SingleFlight`), from cached parts (``MemoryCache.once``). When the last client that waits
   has disconnected, the work ends at its next step; if it was still in the queue, it never starts.
5. :class:`cached_response.CachedResponse` sends it: 304 if the client has it (:mod:`conditional`), gzip if accepted.

The administrator's responses are neither kept nor taken from here (``BoardCache.without_answers``); only parts of
boards are.

After a miss or an error, a shortcut falls back to the route. Shortcuts only save CPU time: more than half of a request.
"""
