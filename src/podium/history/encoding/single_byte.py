"""Encodings of one byte per character that iconv knows and Python does not.

Each is a codec of Python and the bytes that differ from it, as code points: ``c0-df:410`` is a run. ``-`` is no
character. Made with iconv of the GNU C library 2.36.
"""

from __future__ import annotations

import functools

_NOTHING = "\ufffe"

_DIFFERENCES = """
armscii8: iso8859_6 a2:587 a3:589 a4:29 a5:28 a6:bb a7:ab a8:2014 a9:2e aa:55d ab-ac:2c ad:58a ae:2026 af:55c b0:55b
    b1:55e b2:531 b3:561 b4:532 b5:562 b6:533 b7:563 b8:534 b9:564 ba:535 bb:565 bc:536 bd:566 be:537 bf:567 c0:538
    c1:568 c2:539 c3:569 c4:53a c5:56a c6:53b c7:56b c8:53c c9:56c ca:53d cb:56d cc:53e cd:56e ce:53f cf:56f d0:540
    d1:570 d2:541 d3:571 d4:542 d5:572 d6:543 d7:573 d8:544 d9:574 da:545 db:575 dc:546 dd:576 de:547 df:577 e0:548
    e1:578 e2:549 e3:579 e4:54a e5:57a e6:54b e7:57b e8:54c e9:57c ea:54d eb:57d ec:54e ed:57e ee:54f ef:57f f0:550
    f1:580 f2:551 f3:581 f4:552 f5:582 f6:553 f7:583 f8:554 f9:584 fa:555 fb:585 fc:556 fd:586 fe:55a
cp10007: mac_cyrillic a2:a2 ff:a4
cp1004: cp1252 80:- 83:- 8e:- 9e:-
cp1008: latin_1 a1:60c a3:61b a4:61f a5:fe7c a7:fe7d a8:640 a9:f8fc aa-ab:fe80 ae-af:fe82 b0-b9:660 ba-bb:fe84
    bc:fe8b bd-bf:fe8d c0:fe91 c1:fe93 c2:fe95 c3:fe97 c4:fe99 c5:fe9b c6:fe9d c7:fe9f c8:fea1 c9:fea3 ca:fea5
    cb:fea7 cc:fea9 cd:feab ce:fead cf:feaf d0:f8f6 d1:feb3 d2:f8f5 d3:feb7 d4:f8f4 d5:febb d6:f8f7 d8:febf d9:fec3
    da:fec7 db-e3:fec9 e4:fed3 e5:fed5 e6:fed7 e7:fed9 e8:fedb e9:fedd ea-ed:fef5 ee-ef:fefb f0:fedf f1:fee1 f2:fee3
    f3:fee5 f4:fee7 f5:fee9 f6:feeb f8-f9:feec fa-fe:feef ff:-
cp1046: iso8859_6 80:fe88 81:d7 82:f7 83:feb1 84:feb5 85:feb9 86:febd 87:fe71 89:25a0 8a:2502 8b:2500 8c:2510
    8d:250c 8e:2514 8f:2518 90:fe79 91:fe7b 92:fe7d 93:fe7f 94:fe77 95:fe8a 96:fef0 97:fef3 98:fef2 99-9b:fece
    9c:fef6 9d:fef8 9e:fefa 9f:fefc a1:fe82 a2:fe84 a3:fe88 a5:fe8e a6:fe8b a7:fe91 a8:fe97 a9:fe9b aa:fe9f ab:fea3
    ae:fea7 af:feb3 b0-b9:660 ba:feb7 bc:febb bd:febf be:feca c0:fecb db:fecc dc:fe82 dd:fe84 de:fe8e df:fed3
    f3:fed7 f4:fedb f5:fedf f6:200b f7:fef5 f8:fef7 f9:fef9 fa:fefb fb:fee3 fc:fee7 fd:feec fe:fee9
cp1124: iso8859_5 a3:490 f3:491
cp1129: cp1258 80-9f:80 a8:153 b4:178 b8:152
cp1133: ascii 80-9f:80 a1-a2:e81 a3:e84 a4-a5:e87 a6:eaa a7:e8a a8:e8d a9-ac:e94 ad-b3:e99 b4-b6:ea1 b7:ea5 b8:ea7
    b9:eab ba-bb:ead bf-c0:eaf c1-c8:eb2 c9:ebc ca:eb1 cb:ebb cc:ebd d0-d4:ec0 d5-da:ec8 db:ec6 dd-de:edc df:6b
    f0-f9:ed0 fc:a2 fd:ac fe:a6 ff:a0
cp1161: iso8859_11 80-9f:- a0:e48 db-dd:e49 de:20ac fc:a2 fd:ac fe:a6 ff:a0
cp1162: cp874 81-84:81 86-90:86 98-9f:98
cp1163: cp1258 80-9f:80 a4:20ac a8:153 b4:178 b8:152
cp1167: koi8_u 93:201c 96:201d 97:2014 98:2116 99:2122 9b:bb 9c:ae 9d:ab 9f:a4 ae:45e be:40e
cp4909: iso8859_7 a5:- aa:- b4:b4 b7:387
cp5347: cp1251 98:98
cp770: cp437 80:10c 82:117 83:101 85:105 86:13c 87:10d 88:113 89:112 8a:119 8b:118 8c:12b 8d:12f 8f:104 90:116
    91:17e 92:17d 93:f5 95:d5 96:16b 97:173 98:123 9c:13b 9d:201e 9e:161 9f:160 a0:100 a1:12a a2:137 a3:136 a4:146
    a5:145 a6:16a a7:172 a8:122 ad:12e
cp771: cp866 dc-dd:104 de-df:10c f0-f1:118 f2-f3:116 f4-f5:12e f6-f7:160 f8-f9:172 fa-fb:16a fc-fd:17d
cp772: cp775 80-af:410 e0-ef:440 f0:401 f1:451 f2:2265 f3:2264 f4:201e f5:201c f7:2248 fb:221a fc:207f
cp773: cp775 b5-b6:2561 b7:2556 b8:2555 bd:255c be:255b c6-c7:255e cf-d0:2567 d1-d2:2564 d3:2559 d4:2558 d5-d6:2552
    d7:256b d8:256a dc-dd:104 de-df:10c f0-f1:118 f2-f3:116 f4-f5:12e f6-f7:160 f8-f9:172 fa-fb:16a fc-fd:17d
cp774: cp437 b5:104 b6:10c b7:118 b8:116 bd:12e be:160 c6:172 c7:16a cf:17d d0:105 d1:10d d2:119 d3:117 d4:12f
    d5:161 d6:173 d7:16b d8:17e f4:201e f5:201c
cp851: cp869 80:c7 81:fc 82:e9 83:e2 84:e4 85:e0 87:e7 88-89:ea 8a:e8 8b:ef 8c:ee 8e:c4 91:- 93:f4 94:f6 96:fb 97:f9
    99:d6 9a:dc b7:39d b8:39c ef:b4 f7:2db
cp856: cp856 ee:203e fa:2022
cp866nav: cp1125 fa:40e fb:45e
cp868: ascii 80-89:660 8a:60c 8b:61b 8c:61f 8d:622 8e:627 8f:fe8e 90:e016 91:628 92:fe91 93:67e 95-96:629 97:fe97
    9a:62b 9b:fe9b 9c:62c 9d:fe9f a0:62d a1:fea3 a2:62e a3:fea7 a4:62f a6-a7:630 a9:632 ab:633 ac:feb3 ad:634 ae:ab
    af:bb b0:feb7 b1:635 b2-b4:2591 b5:2502 b6:2524 b7:febb b8:636 b9:febf ba:637 bb:2563 bc:2551 bd:2557 be:255d
    bf-c0:638 c1:2510 c2:2514 c3:2534 c4:252c c5:251c c6:2500 c7:253c c8-c9:feca ca:255a cb:2554 cc:2569 cd:2566
    ce:2560 cf:2550 d0:256c d1:fecc d2:63a d3-d5:fece d6:641 d7:fed3 d8:642 d9:fed7 da:feda db:2518 dc:250c dd:2588
    de:2580 df:fedb e1:2584 e3:644 e4:fede e5:fee0 e6:645 e7:fee3 e9:646 ea:fee7 ec:648 f1:621 f2:ad fb:651 fc:fe7d
    fe:25a0 ff:a0
cp901: iso8859_13 a4:20ac
cp902: latin_1 a4:20ac d0:160 de:17d f0:161 fe:17e
cp904: ascii 80:a2 fd:ac fe:a6
cp9066: iso8859_11 80-9f:- a0:e48 db-de:e49 fc:a2 fd:ac fe:a6 ff:a0
cp922: latin_1 d0:160 de:17d f0:161 fe:17e
csn369103: cp1258 24:a4 80-9f:80 a1:104 a2:2d8 a3:141 a4:24 a5:13d a6:15a a9:160 aa:15e ab:164 ac:179 ae:17d af:17b
    b1:105 b2:2db b3:142 b5:13e b6:15b b7:2c7 b9:161 ba:15f bb:165 bc:17a bd:2dd be:17e bf:17c c0:154 c5:139 c6:106
    c8:10c ca:118 cc:11a cf:10e d1:143 d2:147 d5:150 d8:158 d9:16e db:170 dd:dd de:162 e0:155 e5:13a e6:107 e8:10d
    ea:119 ec:11b ef:10f f1:144 f2:148 f5:151 f8:159 f9:16f fb:171 fd:fd fe:163 ff:2d9
cwi: cp437 8d:cd 8f:c1 93:151 95:d3 96:171 97:da 98:170 9f:e01f a7:150 e1:3b2 e6:3bc ed:2205 f8:2218 f9:b7 fa:2022
decmcs: latin_1 a0:- a4:- a6:- a8:a4 ac-af:- b4:- b8:- be:- d0:- d7:152 dd:178 de:- f0:- f7:153 fd:ff fe-ff:-
ecmacyrillic: koi8_t 80-a0:80 a1-a2:452 a4-ac:454 ae-af:45e b0:2116 b1-b2:402 b4-bc:404 bd:a4 be-bf:40e
georgianacademy: cp1252 80-81:80 8d-90:8d 9d-9e:9d c0-e6:10d0
georgianps: cp1252 80-81:80 8d-90:8d 9d-9e:9d c0-c6:10d0 c7:10f1 c8-cd:10d7 ce:10f2 cf-d4:10dd d5:10f3 d6-e1:10e3
    e2:10f4 e3-e4:10ef e5:10f5
gost19768: iso8859_5 a2-ac:- ae-af:- f0:- f2-ff:-
hpgreek8: ascii 80-a0:80 bc:3ca be:3cb c1-c9:391 cb-d2:39a d3-d6:3a3 d8-da:3a7 db:3ac dc:3ae dd:3cc e0:3cd e1-e9:3b1
    eb-f2:3ba f3-f6:3c3 f7:3c2 f8-fa:3c7 fb:3ad fc:3af fd:3ce fe:3f3
hproman9: hp_roman8 ba:20a0
hpturkish8: hp_roman8 a1:c7 a2:11e b0:- b4-b5:- c0:- c3:- ce-cf:- da:- db:130 dc:d6 dd:15e de:dc df:e7 e0:11f fb:131
    fc:f6 fd:15f fe:fc
iecp271: iso8859_7 a0:2c7 a1:2261 a2-a5:2227 a6-a7:2282 a8:21d0 a9:21d2 aa-ab:2234 ac:2208 ad:220b ae-af:2286
    b0:222b b1:222e b2:221e b3:2207 b4:2202 b5:223c b6:2248 b7:2243 b8:2245 b9:2264 ba:2260 bb:2265 bc:2194 bd:ac
    be:2200 bf:2203 c0:5d0 c1:25a1 c2:2225 c5:22a5 c6:2220 c7:221f c9-ca:2329 cc-cd:2032 cf:2213 d1:b2 d2:3a3 d3:d7
    d4:b3 d7:b7 da:2205 db:21c0 dc:221a dd:192 de:221d df:b1 e0:b0 ef:2030 f2:3c3 f3:f7 fa:2020 fb-fe:2190 ff:203e
iso10367box: ascii 80-9f:80 c0:2551 c1:2550 c2:2554 c3:2557 c4:255a c5:255d c6:2560 c7:2563 c8:2566 c9:2569 ca:256c
    cb:e019 cc:2584 cd:2588 ce:25aa d0:2502 d1:2500 d2:250c d3:2510 d4:2514 d5:2518 d6:251c d7:2524 d8:252c d9:2534
    da:253c db-dd:2591
iso88599e: iso8859_9 a1:17d a4:20ac a6:12c a8:16c aa:1e6 ac:14a af:1d1 b1:17e b6:12d b8:16d ba:1e7 bc:14b be:178
    bf:1d2 c6:18f d7:dd d8:19f e6:259 f7:fd f8:275
isoir197: cp1252 80:- 86:ac 87:2260 88:a3 8a:bf 8b:2264 8e:- 98:ae 9a:a1 9b:2265 9e:- a1-a2:10c a3-a4:110 a5-a6:1e4
    a8:1e6 aa:1e7 ac:1e8 ae:1e9 af:14a b1:14b b2-b3:160 b5:166 b8:167 b9-ba:17d bc:1b7 bd:292 be-bf:1ee
isoir209: cp1252 80:- 86:ac 87:2260 88:a3 8a:bf 8b:2264 8e:- 98:ae 9a:a1 9b:2265 9e:- a1-a2:10c a3-a4:110 a5-a6:1e4
    a8:1e6 aa:1e7 ab:21e ac:1e8 ae:1e9 af:14a b1:14b b2-b3:160 b5:166 b8:167 b9-ba:17d bb:21f bc:1b7 bd:292
    be-bf:1ee
koi8: koi8_u 80-bf:- ff:-
macis: mac_roman c6:394 d0:2014 d1:2013 d7:25c6 db:a4 dc-dd:110 de:de df:fe f0:e01e f6-f7:-
macsami: mac_iceland a2:10c b0:110 b1:14a b2-b3:21e b4:160 b5:166 b7:17d b8:10d b9:111 ba:14b bb:161 bc:167 bd:17e
    db:a4 f6:1b7 f7:292 f8-f9:1ee fa-ff:1e4
mik: cp437 80-bf:410 c6:2563 c7:2551 cf:2510 d0-d2:2591 d3:2502 d4:2524 d5:2116 d6:a7 d7:2557 d8:255d
tcvn: latin_1 01:da 02:1ee4 04:1eea 05:1eec 06:1eee 11:1ee8 12:1ef0 13:1ef2 14:1ef6 15:1ef8 16:dd 17:1ef4 80:c0
    81:1ea2 82:c3 83:c1 84:1ea0 85:1eb6 86:1eac 87:c8 88:1eba 89:1ebc 8a:c9 8b:1eb8 8c:1ec6 8d:cc 8e:1ec8 8f:128
    90:cd 91:1eca 92:d2 93:1ece 94:d5 95:d3 96:1ecc 97:1ed8 98:1edc 99:1ede 9a:1ee0 9b:1eda 9c:1ee2 9d:d9 9e:1ee6
    9f:168 a1:102 a2:c2 a3:ca a4:d4 a5:1a0 a6:1af a7:110 a8:103 a9:e2 aa:ea ab:f4 ac:1a1 ad:1b0 ae:111 af:1eb0
    b0:300 b1:309 b2:303 b3:301 b4:323 b5:e0 b6:1ea3 b7:e3 b8:e1 b9:1ea1 ba:1eb2 bb:1eb1 bc:1eb3 bd:1eb5 be:1eaf
    bf:1eb4 c0:1eae c1:1ea6 c2:1ea8 c3:1eaa c4:1ea4 c5:1ec0 c6:1eb7 c7:1ea7 c8:1ea9 c9:1eab ca:1ea5 cb:1ead cc:e8
    cd:1ec2 ce:1ebb cf:1ebd d0:e9 d1:1eb9 d2:1ec1 d3:1ec3 d4:1ec5 d5:1ebf d6:1ec7 d7:ec d8:1ec9 d9:1ec4 da:1ebe
    db:1ed2 dc:129 dd:ed de:1ecb df:f2 e0:1ed4 e1:1ecf e2:f5 e3:f3 e4:1ecd e5:1ed3 e6:1ed5 e7:1ed7 e8:1ed1 e9:1ed9
    ea:1edd eb:1edf ec:1ee1 ed:1edb ee:1ee3 ef:f9 f0:1ed6 f1:1ee7 f2:169 f3:fa f4:1ee5 f5:1eeb f6:1eed f7:1eef
    f8:1ee9 f9:1ef1 fa:1ef3 fb:1ef7 fc:1ef9 fe:1ef5 ff:1ed0
viscii: latin_1 02:1eb2 05:1eb4 06:1eaa 14:1ef6 19:1ef8 1e:1ef4 80:1ea0 81:1eae 82:1eb0 83:1eb6 84:1ea4 85:1ea6
    86:1ea8 87:1eac 88:1ebc 89:1eb8 8a:1ebe 8b:1ec0 8c:1ec2 8d:1ec4 8e:1ec6 8f:1ed0 90:1ed2 91:1ed4 92:1ed6 93:1ed8
    94:1ee2 95:1eda 96:1edc 97:1ede 98:1eca 99:1ece 9a:1ecc 9b:1ec8 9c:1ee6 9d:168 9e:1ee4 9f:1ef2 a0:d5 a1:1eaf
    a2:1eb1 a3:1eb7 a4:1ea5 a5:1ea7 a6:1ea9 a7:1ead a8:1ebd a9:1eb9 aa:1ebf ab:1ec1 ac:1ec3 ad:1ec5 ae:1ec7 af:1ed1
    b0:1ed3 b1:1ed5 b2:1ed7 b3:1ee0 b4:1a0 b5:1ed9 b6:1edd b7:1edf b8:1ecb b9:1ef0 ba:1ee8 bb:1eea bc:1eec bd:1a1
    be:1edb bf:1af c4:1ea2 c5:102 c6:1eb3 c7:1eb5 cb:1eba ce:128 cf:1ef3 d0:110 d1:1ee9 d5:1ea1 d6:1ef7 d7:1eeb
    d8:1eed db:1ef9 dc:1ef5 de:1ee1 df:1b0 e4:1ea3 e5:103 e6:1eef e7:1eab eb:1ebb ee:129 ef:1ec9 f0:111 f1:1ef1
    f6:1ecf f7:1ecd f8:1ee5 fb:169 fc:1ee7 fe:1ee3 ff:1eee
winsami2: cp1252 82:10c 84:10d 85:1b7 86:292 87-88:1ee 89:110 8e:- 98:111 99:1e6 9e:- a1:1e7 a2:1e4 a5:1e5 aa:21e
    af:21f b2-b3:1e8 b8-b9:14a ba:166 bc:167 be-bf:17d
"""


@functools.cache
def table_of(name: str) -> str | None:
    """The 256 characters of the encoding; U+FFFE stands for no character."""
    lines = _DIFFERENCES.replace("\n    ", " ").split("\n")
    line = next((line for line in lines if line.startswith(f"{name}: ")), None)
    if line is None:
        return None
    _, base, *runs = line.split()
    table = list(bytes(range(256)).decode(base, "replace").replace("\ufffd", _NOTHING))
    for run in runs:
        where, _, code = run.partition(":")
        first, _, last = where.partition("-")
        for place, byte in enumerate(range(int(first, 16), int(last or first, 16) + 1)):
            table[byte] = _NOTHING if code == "-" else chr(int(code, 16) + place)
    return "".join(table)
