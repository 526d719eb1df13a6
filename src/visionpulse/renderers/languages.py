"""Language names for containers: MP4 wants three letters (ISO 639-2/T) where scripts have two."""

from __future__ import annotations

_TABLE = """
af afr  am amh  ar ara  as asm  az aze  be bel  bg bul  bn ben  bo bod  br bre  bs bos  ca cat
cs ces  cy cym  da dan  de deu  el ell  en eng  eo epo  es spa  et est  eu eus  fa fas  fi fin
fo fao  fr fra  fy fry  ga gle  gd gla  gl glg  gu guj  ha hau  he heb  hi hin  hr hrv  ht hat
hu hun  hy hye  id ind  ig ibo  is isl  it ita  ja jpn  jv jav  ka kat  kk kaz  km khm  kn kan
ko kor  ku kur  ky kir  la lat  lb ltz  lo lao  lt lit  lv lav  mg mlg  mi mri  mk mkd  ml mal
mn mon  mr mar  ms msa  mt mlt  my mya  nb nob  ne nep  nl nld  nn nno  no nor  ny nya  or ori
pa pan  pl pol  ps pus  pt por  qu que  ro ron  ru rus  rw kin  sa san  sd snd  si sin  sk slk
sl slv  sm smo  sn sna  so som  sq sqi  sr srp  st sot  su sun  sv swe  sw swa  ta tam  te tel
tg tgk  th tha  ti tir  tk tuk  tl tgl  tn tsn  tr tur  ts tso  tt tat  ug uig  uk ukr  ur urd
uz uzb  vi vie  wo wol  xh xho  yi yid  yo yor  zh zho  zu zul
"""
_THREE: dict[str, str] = dict(zip(_TABLE.split()[::2], _TABLE.split()[1::2], strict=True))


def three_letters(language: str) -> str:
    """Return the container's word for a BCP 47 tag such as `pt-BR`; `und` when there is none."""
    primary = language.replace("_", "-").split("-")[0].lower()
    return _THREE.get(primary, primary if len(primary) == 3 and primary.isalpha() else "und")
