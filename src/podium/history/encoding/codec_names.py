"""Names of the encodings that keep ASCII text as it is.

Made from ``iconv -l`` of the GNU C library 2.36 and from the aliases of Python 3.11. Left out are encodings in which
ASCII bytes mean something else (UTF-16, UTF-7, EBCDIC, HZ, the national variants of ISO 646), those whose accents are
bytes of their own (T.61, ISO 6937, TSCII), ISIRI 3342, which hides line breaks, and ISO-2022-CN, which Python does not
know.
"""

from __future__ import annotations

import re

# Per line: a codec of Python or of this package, and its names without punctuation.
_NAMES = """
armscii8:
ascii: ansix34 ansix341968 ansix341986 cp367 cp646 cp891 cp903 csascii iso646irv1991 iso646us isoir6 osf00010020
    osf1002037b osf10020387 us usascii
big5hkscs: hkscs
cp10007: msmaccyrillic
cp1004: os2latin1
cp1006:
cp1008:
cp1046:
cp1124:
cp1125: cp848 cp866u ruscii
cp1129:
cp1133:
cp1161:
cp1162: csibm11621162
cp1163:
cp1167: koi8ru
cp1250: msee
cp1251: mscyrl
cp1252: msansi
cp1253: msgreek
cp1254: msturk
cp1255: mshebr
cp1256: cp9448 msarab
cp1257: winbaltrim
cp1258:
cp437: cspc8codepage437 osf100201b5
cp4909:
cp5347:
cp720:
cp737:
cp770:
cp771:
cp772:
cp773:
cp774:
cp775: cspc775baltic
cp850: cspc850multilingual osf10020352
cp851:
cp852: cspcp852 osf10020354
cp855: osf10020357
cp856:
cp857: osf10020359
cp858: cspc858multilingual
cp860:
cp861: cpibm861 cpis osf1002035d
cp862: cspc862latinhebrew osf1002035e
cp863: osf1002035f
cp864: osf10020360
cp865:
cp866:
cp866nav: 866nav ibm866nav
cp868: cpar osf10020364
cp869: cpgr osf10020365
cp874:
cp901:
cp902:
cp904: osf10020388
cp9066:
cp922:
cp932: cp943 cswindows31j sjisopen sjiswin windows31j xsjis
cp949: osf100203b5 uhc
cp950: big5 big5tw bigfive cnbig5 csbig5 xmactradchinese
csn369103: csiso139csn369103 isoir139
cwi: cphu cwi2
decmcs: csdecmcs dec
ecmacyrillic: csiso111ecmacyrillic isoir111
euc_jis_2004: eucjisx0213 jisx0213
euc_jp: cseucpkdfmtjapanese eucjpms eucjpopen eucjpwin osf00030010 ujis
euc_kr: cseuckr korean ksc5601 ksc56011987 ksx1001 osf0004000a xmackorean
euc_tw: cseuctw osf0005000a
gb18030: gb180302000
gb2312: chinese cngb csgb2312 csiso58gb231280 euccn eucgb2312cn gb23121980 gb231280 isoir58 xmacsimpchinese
gbk: cp936 gb13000
georgianacademy:
georgianps:
gost19768: csiso153gost1976874 gost1976874 isoir153 stsev35888
hp_roman8: cp1051 cshproman8 osf10010001 r8 roman8
hpgreek8: osf10010004
hproman9: r9 roman9
hpturkish8: osf10010006 turkish8
iecp271: csiso143iecp271 isoir143
iso10367box: csiso10367box isoir155
iso2022_jp: csiso2022jp
iso2022_jp_1:
iso2022_jp_2: csiso2022jp2
iso2022_jp_2004:
iso2022_jp_3:
iso2022_jp_ext:
iso2022_kr: csiso2022kr
iso88599e:
iso8859_10: csisolatin6 iso8859101992 isoir157 l6 latin6 osf0001000a
iso8859_11: hpthai8 iso8859112001 thai thai8
iso8859_13: baltic cp921 isoir179 l7 latin7
iso8859_14: iso8859141998 isoceltic isoir199 l8 latin8
iso8859_15: iso8859151998 isoir203 l9 latin9
iso8859_16: iso8859162001 isoir226 l10 latin10
iso8859_2: 88592 cp912 csisolatin2 iso885921987 isoir101 l2 latin2 osf00010002
iso8859_3: 88593 csisolatin3 iso885931988 isoir109 l3 latin3 osf00010003
iso8859_4: 88594 csisolatin4 iso885941988 isoir110 l4 latin4 osf00010004
iso8859_5: 88595 cp915 csisolatincyrillic cyrillic iso885951988 isoir144 osf00010005
iso8859_6: 88596 arabic asmo708 cp1089 csisolatinarabic ecma114 iso885961987 isoir127 osf00010006
iso8859_7: 88597 cp813 csisolatingreek ecma118 elot928 greek greek8 iso885971987 iso885972003 isoir126 osf00010007
iso8859_8: 88598 cp916 csisolatinhebrew hebrew iso885981988 isoir138 osf00010008
iso8859_9: 88599 cp920 csisolatin5 ecma128 iso885991989 isoir148 l5 latin5 osf00010009 ts5881
isoir197:
isoir209:
johab: cp1361
koi8:
koi8_r: cskoi8r
koi8_t:
koi8_u:
kz1048: rk1048 strk10482002
latin_1: 88591 cp819 cp8859 csisolatin1 iso8859 iso88591 iso885911987 isoir100 l1 latin osf00010001
mac_arabic:
mac_croatian:
mac_cyrillic: macuk macukraine macukrainian
mac_farsi:
mac_greek:
mac_iceland:
mac_latin2: cp1282 maccenteuro maccentraleurope
mac_roman: csmacintosh mac macintosh
mac_romanian: macromania
mac_turkish:
macis:
macsami:
mik:
ptcp154: cp154 csptcp154 cyrillicasian pt154
shift_jis: csshiftjis mskanji sjis xmacjapanese
shift_jis_2004: shiftjisx0213 sjis2004 sjisx0213
tcvn: tcvn5712 tcvn57121 tcvn571211993
tis_620: isoir166 tis6200 tis62025290 tis62025291 tis62025330
viscii:
winsami2: ws2
"""

_LONGEST = 64
_PUNCTUATION = re.compile(rb"[^a-z0-9]+")
# IBM850, CP850, windows-1252, MS936, csIBM852, 437.
_DROPPED_BY_ICONV = re.compile(rb"[^a-z0-9_.,:-]+")
_NAME = re.compile(rb"[a-z0-9](?:.*[a-z0-9])?")
_CODE_PAGE = re.compile(r"(?:cs)?(?:cp|ibm|windows|win|mscp|ms)?0*([0-9]{3,5})")


def _codecs() -> dict[str, str]:
    found = {}
    for line in _NAMES.replace("\n    ", " ").strip().split("\n"):
        codec, _, names = line.partition(":")
        found.update(dict.fromkeys([codec.replace("_", ""), *names.split()], codec))
    return found


CODECS = _codecs()


def codec_of(name: bytes) -> str | None:
    """The codec of the encoding ``name``, however it is spelled; None if it is unknown, UTF-8 or left out."""
    if len(name) > _LONGEST:
        return None
    # iconv takes options behind two slashes.
    written = name.partition(b"//")[0].lower()
    kept = _DROPPED_BY_ICONV.sub(b"", written)
    # iconv does not know "latin-1". git does, if nothing else is written.
    if not _NAME.fullmatch(kept) or (kept == b"latin-1" and kept != written):
        return None
    words = _PUNCTUATION.sub(b"", kept).decode()
    number = _CODE_PAGE.fullmatch(words)
    return CODECS.get(words) or (CODECS.get(f"cp{number[1]}") if number else None)
