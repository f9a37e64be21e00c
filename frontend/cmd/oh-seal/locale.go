package main

import (
	"fmt"
	"path"
	"strings"
)

// localeDir is where a sealed libc looks for locales (package seal).
const localeDir = "/openhands/i18n"

// languages are those of glibc's UTF-8 locales (localedata/SUPPORTED, 2.41).
const languages = `aa af agr ak am an anp ar as ast ayc az be bem ber bg bhb bho bi bn bo br brx bs byn ca ce chr ckb
	cmn crh cs csb cv cy da de doi dsb dv dz el en eo es et eu fa ff fi fil fo fr fur fy ga gbm gd gez
	gl gu gv ha hak he hi hif hne hr hsb ht hu hy ia id ig ik is it iu ja ka kab kk kl km kn ko kok ks
	ku kv kw ky lb lg li lij ln lo lt ltg lv lzh mag mai mdf mfe mg mhr mi miq mjw mk ml mn mni mnw mr
	ms mt my nan nb nds ne nhn niu nl nn nr nso oc om or os pa pap pl ps pt quz raj rif ro ru rw sa sah
	sat sc scn sd se sgs shn shs si sid sk sl sm so sq sr ss ssy st su sv sw syr szl ta tcy te tg th the
	ti tig tk tl tn to tok tpi tr ts tt ug uk unm ur uz ve vi wa wae wal wo xh yi yo yue yuw zgh zh zu`

// linkLocales lets every UTF-8 locale that an image sets stand for C.UTF-8:
// LANG=en_US.UTF-8 would fail otherwise, and text would be ASCII. For
// en_US.UTF-8 libc tries en.utf8 as well (_nl_make_l10nflist in
// intl/l10nflist.c), so one link per language serves all countries.
func (o *output) linkLocales() error {
	for _, name := range []string{"C.utf8", "C.UTF-8"} { // since Debian 12, and before
		if _, ok := o.items[path.Join(localeDir, name, "LC_CTYPE")]; !ok {
			continue
		}
		for _, language := range strings.Fields(languages) {
			o.items[path.Join(localeDir, language+".utf8")] = item{link: name}
		}
		return nil
	}
	return fmt.Errorf("libc-bin holds no locale C.UTF-8")
}
