/*!
 * What characters look like, made by bin/confusables.mjs from confusables.txt and the Unicode
 * Character Database, version 15.0.0; not to be edited. Of those files:
 *
 * UNICODE LICENSE V3
 *
 * COPYRIGHT AND PERMISSION NOTICE
 *
 * Copyright © 2016-2024 Unicode, Inc.
 *
 * NOTICE TO USER: Carefully read the following legal agreement. BY
 * DOWNLOADING, INSTALLING, COPYING OR OTHERWISE USING DATA FILES, AND/OR
 * SOFTWARE, YOU UNEQUIVOCALLY ACCEPT, AND AGREE TO BE BOUND BY, ALL OF THE
 * TERMS AND CONDITIONS OF THIS AGREEMENT. IF YOU DO NOT AGREE, DO NOT
 * DOWNLOAD, INSTALL, COPY, DISTRIBUTE OR USE THE DATA FILES OR SOFTWARE.
 *
 * Permission is hereby granted, free of charge, to any person obtaining a
 * copy of data files and any associated documentation (the "Data Files") or
 * software and any associated documentation (the "Software") to deal in the
 * Data Files or Software without restriction, including without limitation
 * the rights to use, copy, modify, merge, publish, distribute, and/or sell
 * copies of the Data Files or Software, and to permit persons to whom the
 * Data Files or Software are furnished to do so, provided that either (a)
 * this copyright and permission notice appear with all copies of the Data
 * Files or Software, or (b) this copyright and permission notice appear in
 * associated Documentation.
 *
 * THE DATA FILES AND SOFTWARE ARE PROVIDED "AS IS", WITHOUT WARRANTY OF ANY
 * KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
 * MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT OF
 * THIRD PARTY RIGHTS.
 *
 * IN NO EVENT SHALL THE COPYRIGHT HOLDER OR HOLDERS INCLUDED IN THIS NOTICE
 * BE LIABLE FOR ANY CLAIM, OR ANY SPECIAL INDIRECT OR CONSEQUENTIAL DAMAGES,
 * OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS,
 * WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
 * ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THE DATA
 * FILES OR SOFTWARE.
 *
 * Except as contained in this notice, the name of a copyright holder shall
 * not be used in advertising or otherwise to promote the sale, use or other
 * dealings in these Data Files or Software without prior written
 * authorization of the copyright holder.
 *
 * SPDX-License-Identifier: Unicode-3.0
 */

/** Characters that are not themselves in a key, and what they are there. */
export const KEYS = `
*x= =30 =13.13 =1e8v 1=33.8uf.33 9=8uf =33 =30 8=k0 5=1e97 *8+2p =30 *3+2y =36.32 *d+32 5=13 8=30 3=36.32 e=30 2*y=
1=2r.mv 2=3d.mt 2=lk =2r =2p 2= =36 =jt 2*2+1e =13 =36.32 1=3zb =18 =30 =33 1=30.8uf.1g =30.8uf.1e =1f.8uf.1g
1*4+2p.lc =2p.lk =2p.lm =2p.2t =2r.m9 *3+2t.lc =2t.lk *3+30.lc =30.lk =2s.mt =32.lf *4+33.lc =33.lk =3c =33.mv
*3+39.lc =39.lk =3d.ld =72 =37.37 *4+2p.lc =2p.lk =2p.lm =2p.2t =2r.m9 *3+2t.lc =2t.lk *3+30.lc =30.lk =2s.mt =32.lf
*4+33.lc =33.lk 1=33.mv *3+39.lc =39.lk =3d.ld 1=3d.lk *2=2p.lg *2=2p.li *2=2p.ma *2=2r.ld *2=2r.le *2=2r.lj *2=2r.li
*2=2s.li *2=2s.mt *2=2t.lg *2=2t.li *2=2t.lj *2=2t.ma *2=2t.li *2=2v.le *2=2v.li *2=2v.lj *2=2v.m9 *2=2w.le *2=2w.mt
*2=30.lf *2=30.lg *2=30.li *2=30.ma =30.lj =30 *2=30.2y *2=2y.le *2=2z.m9 =2z *2=30.ld *2=30.m9 *2=30.li *2=30.3zb
*2=30.mv *2=32.ld *2=32.m9 *2=32.li =13.32 =97 1*2=33.lg *2=33.li *2=33.ln *2=33.2t *2=36.ld *2=36.m9 *2=36.li
*2=37.ld *2=37.le *2=37.m9 *2=37.li *2=38.m9 *2=38.li *2=38.mt *2=39.lf *2=39.lg *2=39.li *2=39.lm *2=39.ln *2=39.ma
*2=3b.le *2=3d.le =3d.lk *2=3e.ld *2=3e.lj *2=3e.li =37 =2q.mt =13.2q *2=2q.lg =at 1=gk *2=2r.13 =2s.mt =13.2s
*2=2s.lg =2v *2=d9 =gr *2=2u.m9 =2v.13 =3d 1=30 =30.mt *2=2z.13 =30.mt 1=3b =32.m9 =32.mh =33.mt *2=33.m3 =bn
1*2=13.34 =36 *2=1e =hv 2*2=13.38 =38.ma *2=39.m3 =i2 =39 *2=13.3d *2=3e.mt =1f =c9 2=1e.mt *2=1h 1=72 =30 =30.30
1=30 *3=2s.3e.li *3=30.2y *3=32.2y *2=2p.li *2=30.li *2=33.li *2=39.li *2=39.lg.lk *2=39.ld.lk *2=39.lk.li
*2=39.lc.lk 1*2=2p.lg.lk *2=2p.lj.lg *2=2p.2t.lg *2=2v.mt *2=2v.li *2=2z.li *2=33.ma *2=33.lg.ma *2=1f.li =2y.li
*3=2s.3e *2=2v.ld =b9 =72 *2=32.lc *2=2p.ld.lm *2=2p.2t.ld *2=33.mv.ld *2=2p.lr *2=2p.le *2=2t.lr *2=2t.le *2=30.lr
*2=30.le *2=33.lr *2=33.le *2=36.lr *2=36.le *2=39.lr *2=39.le *2=37.m9 *2=38.m9 *2=1f *2=2w.li =32.mh 1*2=1k
*2=3e.m9 *2=2p.lj *2=2t.m9 *2=33.lg.lk *2=33.lf.lg *2=33.lj *2=33.lg.lj *2=3d.lg 6=8rp *2=2r.mv =30.mt =38.mv 2*2=1r
=2q.mt =39.mt =i4 *2=2t.mv *2=2y.mt =gb 1*2=36.mt *2=3d.mt 1=2p 1=13.2q 2=2s.mt =13.2s 1=d9 =d9.ke 1=1f 3=2v.13 *2=2v
=3d 2=2w.lw 1=30.mt *2=30 =30.ms 1=30.ma =30.1f =3b 1=36.32.m9 *2+32.m9 =32 =33.mt =33.2t 5=36.mh =36.ma 2=36 1=37.ma
5=38.ma =39.mt 1=39 1=36.32 1=3d =3e.ma 1=1f 1=1r 4=2q 2=2w =2y 1=30 =35.lw 2=2s.3e =2s.1f =2s.i9 =38.37 =38.hv
=38.gl =2u.97 =30.37 =30.3e 4=2w =2w.lw =2y =4xg =hl =hn =ht =3b =3d =13 =13.13 *4=13 3=1o =1q =2m 1=2m 1=13 1*2=13
7=jj 3=19 =jr =1v5 =4w =30 =3i =13.13 2=3d =4xf =4wr =3c =jl 9=13.13 5=13 1=13.13 1=k0 2=kq 9=lg 6=li 3=li.lj =le
3=lv g*2=m9 =ma 8=m8 4=mt 1=mv =m9 6*2+lc =lf =lv =ld.lk =30 1=mr 7= 7=nk =lj d=lm 7=li 1=oh 1=oj 1=13 =jz =on 3=30
=gk 2=1n =2y 4=13 =lk.ld =2p.ld =3zb =2t.ld =2w.ld =30.ld 1=33.ld 1=3d.ld =qx.ld =30.lk.ld *2+2p =36 =qc =2t =3e =2w
=33.mt =30 =2z =i4 =36.32 =32 =qm =33 =qo =34 1=33 =38 =3d =hk =3c *2+qw =30.lk =3d.lk =2p.ld =2t.ld =2w.ld =30.ld
=3d.ld.lk *2+2p =36 1=2t =3e =2w =33.mt =30 =2z =i4 =36.32 =32 1=33 1=34 *2=33 =38 =3d =hk =3c 2=30.lk =3d.lk =33.ld
=3d.ld =qx.ld =rb =2q =33.mt =3d =3d.ld =3d.lk =hk =qo 1=rd 1=rf 1*2=2u =rj 1=rl 1=rn 1=rp 1=rr 1*2=1e =rv 1=rx 1=rz
1=2z =34 =2r =2y =33.mt =2t 1*2=72 =2r *2=36.32 1=gk *2+os =2t.lc =2t.lk =uq =36.ld =gr =37 =30 =30.lk =2y *2+ux
=2w.mt =2z.ld =on.lc =3d.li =v3 =2p =1i =2q =36 =tw =2t =ty =1f =on =on.li =2z =i4 =36.32 =2w =33 =qo =34 =2r =38 =3d
=hk =3c *4+ue =jt.2q =2q.30 =2q =ul =30.33 =un =2p =1i =2q =36 1=2t 1=1f =on =on.li =2z =i4 =36.32 =2w =33 =qo =34
=2r =38 =3d =hk =3c 4=jt.2q =2q.30 =2q 1=30.33 1=2t.lc =2t.lk 1=36.ld =gr =37 =30 =30.lk =2y 2=2w.mt =2z.ld =on.lc
=3d.li 1*2=3b *2=2q.mt =v9 1=vb 1=vd 1=vf 1=vh 1=vj 1*2=qw *2=33.mt *2=3a *2=3a.lr =vt 1=vv 1*2=3b.w6.w7 =vz 1=w1
9*2=on.lc.m9 *2=2q.mt =wf 1*2=36.13 *2=36.mt =wl 1*2=ty.mh *2=1f.m9 *2=2z.mh =wt 1*2=2z.mt =wx 1*2=2w.mh =x1 1=x3
1=x5 1*2=2r.m9 *2=38.mh *2=3d *2=3d.mt *2=3c.mh =xh 1=xj 1=xl 1*2=2w *2=2t *2=2t.ma =30 *2=ty.li =xw 1*2=i4.m9
*4=2w.m9 *2=xj *2=36.32.m9 =30 *2=2p.li *2=2p.lk *2=2p.2t *2=2t.li *2=d9 *2=d9.lk *2=ty.lk *2=1f.lk *2=1f *2=on.lg
*2=on.lk *2=33.lk *2=33.mt *2=33.mt.lk *2=ul.lk *2=3d.lg *2=3d.lk *2=3d.ln *2=uf.lk =zb 1*2=2q.30.lk =zf 1=zh 1=zj
1*2=2s =zn 1=zp 1=zr 1=zt 1*2=b9 *2=2v =zz 1*2=gr =103 1=105 1=107 1=109 1*2=35 *2=3b =10f 1=10h 1=10j 1=10l 1=10n
1=10p 1=10r 1=10t 1=10v 2=3b =12a =35 *2+12c =35 *7+12f =qc =12n =2w *4+12p =fr *2+12u =32 =12x =hc =12z =32 =39 =132
=37 =134 =2v =136 =hk =2u =33 =13a 2=jj =13 2=13 3=3b 1=35 2=35 7=qc 1=2w 4=fr 2=32 1=hc 1=32 =39 1=37 1=2v 1=hk =2u
=33 1=12d.136 1=k0 i*2=ld 6=13u 3=13t 4=13q =13s =lm 4=mb 4*2=lj 5=30 *2=lj =k0 =lj =mb f=30 2=3a =13 7=33 e=30.30
=30.13 =13.13 =13 =13.13 k=33.8uf.33.33 =33.8uf.33.33.33 2=18 1=189 8=ld =lv =lz 1= 5=30.lf =30.190 =18o.190 =30.191
=18p.190 =30 3=18p.1cr 8=183.1cr 8=18p.le 1=18p.1cr 7=33 2=18p =ln 2=ld =lv =lz 1=lm =lf 2=mh =lu =li =lg =li =le =mb
=lw 1=191 =1a =30 3=33 1=3a =i4 1=33.8uf.33 =18 =170 =16 =18p 1=lp 1=30.19w =30.191 1=30.19w =18o.19w =18o.lv.19w
=18p.19w =18p.179 4=18p.1cr 2=17x.190 3=17x.1cr 2=17z.179 2=1ai.179 2=17z.1cr 2=181.179 =181.li 5=181.1cr 5=185.1cr
=187.1cr 1=19r 2=19r.1cr 2=18h =19r.1cr *2=18j 2=18j.1cr 6=1bj.1cr =18k.li 1=18k.1cr 2=18p =18p.179 1=18p.1cr =33
1=33.190 =33 =33.190 =17t 2=18o.li =18o.lv =18o.lp =18o.le 1=18o.1cr =18p 1=18p.li 1=1a3 =18p.1cr =18p =18p.190 =19
=33 9=lm 8=li.lj 3=lj 1=17z.le =181.le =1a =30 *3+19e =33 =19i =3a =i4 =19l 3=17l.nc =18l.nc =33.le 1*2=1a *2=k0
1n*2=lj =1fg 4=ld 9=17s.1cr 4=18p.li b=1bg =18j.1cr 3=1g4 =18m.179 =18m.li 2=181.190 4=1av.179 =17x.190 b=183.le
1t=33 9=30 w=lg 1=lj =le 4=lk *2=13 4=2n 4m=17s.190 2=1b6.1cr 2=18l.1cr =18p.190 =1g4 4=17z.mb.mc =185.mb.mc =1bj
=18o =182.le 3=17s.1cy =18p.1cr.1cy 1=181.li.lj =18p.li.lj *2=19r =18p 13=18s 2=18s 1*2+lj 1*2+mb 1=ln *2+18s =lv
4=nk *2+no 4=nk =nm =li.lj =lj =k0 =1s5.1ty 1=1s5.1tq 1=1tc.1u5.1s7 4*2+1sf.1tx 1=1sf.1tz =1s5.1u1 *3+1s5.1tq.1ty
k=1t4.mb 7=1tc.mb 2=1tf.mb 7=mb l=m8 *2+lc 3=1sl.mb =1sm.mb =1sn.mb =1ss.mb =1sx.mb =1sy.mb =1t7.mb =1tb.mb 4=x80
=x80.x80 =33 =19l l=1r 3=li.lj 4=1vp.1xa 1h=mb e=1xj.1xa =1xj.1xz f=1wh.mb =1wi.mb 1=1wv.mb *2=1vv.1xf 4=33 3=1k 2=1l
k=lj =1vn 2=1z9.20u *2+22a.20v *2+22b.20x 4=22a.213 =1z9.214 3=1z9.218 u=20i.mb 2=20o.mb 5=mb e=1ty 1=1u5 b=1zq.mb
=1zr.mb =1zw.mb 2=20b.mb 7=33 =1l 2=1k m=li.lj =lj =k0 2=22t.24e 6=22t.24l 1*2+22t.24n =22t.24e.24l 1*2+22t.24e.24n
13=mb =1tp 3*2+1tt a=1u5 o=33 1*3+1uw 3=1v2 1=1v4 g=li.lj 1=1k 2=26d.27y p=33 r=mb b=287.28m 2=287.27y =287.28n
f=275.mb =276.mb 8=33 1=1l p=lm 7=2a1.2b7 9=2aa.2b7 7=2a8 j=2a0 d=2a0 9=2ax 1=2bq.2a0 =2br.2a0 =2bq.2b7 =lj 9=2b7
e=33 =2ad =2a1 1=2ai =2a0.2bl =2ai.2bl =2a6 =29x 1=2b3 1=2ai.2bm 1=2b2.2bk =2cz 1=2a6.2b9 =2bb 1=2aw.2bk 5=li.lj 1=33
=1vn f=2du.2fp =2du.2fg b=2eo.14s 1=2e9.mb 2=2ef.14s 7=2ek.mb =2et.2f5 8=2et.mb 1=2et.2f2 8=2f5.2f2 1=2f7.2f2
3=2fa.2fq n=2dn.2f2 =2do.2f2 4=33 q=li.lj =33 =1vn 1*3+2dh a=2du =2du.2fp =2du.2fg 7=2e4 1=2e6 4=2eb b=2en 1*2+2ep
d=2in.2j9 6*2+2iu.2j9 1=2iu.2iq =2iu.2iq.2j9 l=2h8.2im 4=33 *2+2g7 6=2gf h=li.lj =33 =1vn 4=2kn.2mv =2a1 =2a1.2mv
1=2lk.2m9 3=2ku.2me 2=2ky.2m6 =2ky.2mv 4=2lk.2m9 2=2a8 3=33 2=2ar d=2ls 2=2b8 1=2ba 3=2an.2bj 4*2=2bj 1*2=2m9
4=2me.2me 1=2me.2m6 =2mf.2m6 =2me.2mv 1=1v5 b=2lk.2ml.2lq 4=33.2ls.33 1=2la 4=33 3=2ls.2ml =2li.2ml.2ls =2lk.2ml.2lk
=1l =2lx.2ml.2ls =2lk.2ml 6=2m1.2ml.2lq 2=2lk.2m9 1=2lk.2ml =2ls.2ml 5=33 =1vn 2e=2qh.2q2 1=2qh.2q7 =2qh.2q7.2q2
=2qh.2qn a=2qw.2q7 =2oy =2pb 3=2qw.2qb j=2rm 7=2ru 3=2ry 4*2=2ro 1=2s1 9=2rq 4=2sg c=lm.2sy d=2tc.2tc 3=2sy 7=lm 2=33
1j=2rs 4=2si c*2+2sa 1*3+2sd j=lm.2wi 4*2+2t4 e*4+2tk 1=lm 2=33 b=2wb.2vt =2wb.2w1 y=31k.324.326 1=31c.31w.32a.327
=31c.31w.32a.2z8 8=2yz 1=2z1.2z1 c=2ze.2ze 2=2zh.2zh =2ze.2zh n=md b=30i.33r 9=30s.33r 4=30x.33r 4=312.33r 4=317.33r
c=30g.33p =31e 8=31t.31u 1=31t.31w =33m.328 =33m.31t.328 =33n.328 =33n.31t.328 7=31t.328 h=32q.33r 9=330.33r
4=335.33r 4=33a.33r 4=33f.33r c=32o.33p k=2zh.2ze 6=ggg =ggd 15=35u.370 f=33.370 c=33 1=36d.370 6=36t.372 2=36m.37g
=36m.37g.375.370.37e b=lm 1=1vn 7=33 a=37u.37u p=37l =36d.37i 8=36d.370.37i =35v.37i d=399.37i 2=35u.37i s=39f.lm
1*12+8w0 1=8x3 5=8x9 p=3d k=3bw 2=33 =9pt =9pt.9pt =9pw =9pz =9pz.9pz =9q1 *2+9q9 =9qa.9qa =9qd =9qd.9qd *2+9qf
=9qg.9qg *5+9qi =9pw.9pt =9pw.9pw =9pw.9pz =9pw.9qa =9pz.9pt =9q1.9pw =9q1.9q1 =9q1.9qm =9q1.9qf =9q9.9qa =9q9.9qf
=9qa.9pt =9qa.9pw =9qa.9pz =9qa.9qd =9qa.9qd.9pt =9qa.9qd.9pz =9qa.9qd.9qa =9qa.9qd.9qd =9qa.9qd.9qg =9qa.9qg
=9qa.9qi *2+9qa.9qk =9qa.9qf =9qa.9qa.9qf =9qd.9pt =9qd.9pw =9qd.9pz =9qd.9q1 *2+9qd.9q9 =9qd.9qa.9pt =9qd.9qd.9qd
*2+9qd.9qf *4+9qd.9qi =9q1.9qm 1=3ek.3ek 1=3em.3em =9rz =9qf.9pt =9qf.9pz *2+9qf.9q9 =9qf.9qd =9qf.9rz *2+9qf.9qf
=9qf.9qi *2+9qf.9qk =9s1 =9qg.9qf 1=3f2.3f2 1=3f4.3f4 =9qi.9qj =9qi.9qm 2=9ql.9qa =9ql.9qf =9qm.9qm =9s6 =9pt.9pz
=9pw.9qd =9pw.9qg =9pw.9qm =9pz.9q1 *2= =9qn =9qn.ffs =9qp =9qp.ffs =9qr =9qr.ffs =9qt =9qt.ffs =9qv =9qv.9qn
=9qv.9qn.ffs =9qv.ffs *2+9qz =9r0.9qr =9r0.9qr.ffs =9r0.ffs =9r4 =9oc =9oc.ffs =ffs =9qn.9qv =9qn.9r0 =9qp.9qv
=9qp.9qz =9qr.9qv =9qr.9r0 =9qr.9oc =9qt.9qv =9qt.9r0 =9qv.9qr =9qv.9qr.ffs =9qv.9qt.ffs =9qv.9qv =9qv.9r0 =9qz.9qp
=9qz.9qp.ffs =9qz.9qp =9qz.9qv =9qz.ffs =9r0.9qn =9r0.9qn.ffs =9r0.9qr.9oc =9r0.9qt.ffs =9r0.9r0 =9r4.9qn =9r4.9qr
=9r4.9qr.ffs =9r4.9qt =9r4.9qt.ffs =9r4.9r0 =9r4.ffs =9oc.9r0 =9oc.9oc =9oc.ffs.9r0 =ffs.9qn =ffs.9qp =ffs.9qv
=ffs.9r0 =ffs.9oc =ffs.9sd =9sd =9sd.9qr =9sd.9r0 =9sd.ffs =9sd.9sd =9qn.9oc =9qp.9r0 =9qt.9qp =9qv.9qp =9qv.9qp.ffs
=9pt =9pt.9pt =9pt.9qd =9pw =9pw.9qg =9pw.9qm =9pz =9q1 =9q1.9pt *2+9q1.9q9 =9q1.9qd *3+9q1.9qk *2+9q9 =9qa.9qd =9qd
=9qd.9qd *2+9qf *5+9qi =9pt.9q1 =9pt.9qd.9pt =9pw.9pt =9pw.9pz =9pw.9qd =9pw.9rz =9pw.9qk =9pz.9pt =9pz.9q1
=9q1.9pt.9qd =9q1.9pw =9q1.9pz =9q1.9pz.9qm =9q1.9q1 =9q1.9q9.9pt =9q1.9q9.9qd =9q1.9qa.9qd =9q1.9qa.9qm =9q1.9qa.9qf
=9q1.9qd.9qd =9q1.9rz =9q1.9qj =9q1.9s6 =9q9.9pt =9q9.9q1 =9q9.9qa =9q9.9qd =9q9.9qd.9qd =9q9.9rz =9q9.9qi =9q9.9qm
=9q9.9qf =9qa.9q1 *2+9qa.9ql =9qa.9qf =9qd.9pt =9qd.9pz =9qd.9q1 =9qd.9qa =9rz =9qf.9pt =9qf.9pt.9pt =9qf.9qf
=9qf.9qj =9s1 =9qf.9qd =9qf.9rz =9ql.9qa =9ql.9qf =9qm.9pw =9qm.9q1 *2+9qm.9q9 =9s6 =9pt.9pw =9pt.9qa *2+9pt.9qi
=9pt.9qm =9pw.9pw =39 5=12s 1l=hk w=32 1e=12p p=12j x=33 2a=hc 3g*2+xv4 =38 =xv7 =33.m3 =30 *2+xva =oh =3d =2p =2y
=2t =xvh =1r =xvj =oh =36 =xvm =3b *3+xvo =36.32 *5+xvs =3d =33.mt =bv =2v =xw1 =2w =3e *7+xw4 =gr =39.mt =xwd =1g
=2q *4+xwg =3b =37 *3+xwm =3a =37 *4+xwr =2r *2+xww =34 *3+xwz =2z =2s *3+xx4 =33.mt *2+xx8 =1i =xxb =37.37 =3y1
=2w.lw =2v *2+3y4 2=37.37 1=2w.lw =2v 4=1p b=3zb.3y9 =3y9.3zb =3zb.qc =qc.3zb =3zb.3yc =3yc.3zb =3zb.3yd =3yd.3zb
=3zb.3ye =3ye.3zb 1=3zb.3yi =3yi.3zb =3zb.3yj =3yj.3zb g=3y9.3z4 =qc.3z4 =3yd.3z4 =3yi.3z4 =3a 1=i4 1=1q 3=3zb.1q =1o
1=3zb.3a =3a.3zb =3zb.i4 =i4.3zb =3zb.3zm =3zm.3zb =3zb.1q =1q.3zb =3zb.3zo =3zo.3zb =3zb.1o =1o.3zb =3zb.3zt
=3zt.3zb 2=13 1=39 1=32 5=3zb.40g 2=3zb.39 =39.3zb =3zb.32 =32.3zb =3zb.40f =40f.3zb =3zb.40g =40g.3zb =3zb.40h
=40h.3zb =3zb.40l =40l.3zb =3zb.40m =40m.3zb 2=39.13 =32.13 =40g.13 =40l.13 2=34 1=2s 2=2q =2q.lj =3zb.417 =417.3zb
=3zb.34 =34.3zb =3zb.41a =41a.3zb =3zb.2s =2s.3zb =3zb.41c =41c.3zb =3zb.2q =2q.3zb =3zb.2q.lj =2q.lj.3zb 3=417.13
=34.13 =2s.13 =2q.13 4=2y 4=3zb.421 =421.3zb =3zb.423 =423.3zb =3zb.424 =424.3zb =3zb.2y =2y.3zb =3zb.426 =426.3zb
=3zb.428 =428.3zb =3zb.429 =429.3zb a=30 1=3zb.42r =42r.3zb =3zb.36 =36.3zb =3zb.42u =42u.3zb =3zb.42v =42v.3zb
=3zb.42w =42w.3zb =3zb.30 =30.3zb =3zb.42z =42z.3zb 5=1e 9=3zb.43k =43k.3zb =3zb.43r =43r.3zb =3zb.43s =43s.3zb 2=3z5
a=3zb.443 =443.3zb =3zb.445 =445.3zb =3zb.446 =446.3zb =3zb.447 =447.3zb =3zb.448 =448.3zb =3zb.44a =44a.3zb =3zb.44b
=44b.3zb c=3zb.44t =44t.3zb =3zb.44v =44v.3zb =3zb.44w =44w.3zb =3zb.44x =44x.3zb =3zb.44y =44y.3zb =3zb.450 =450.3zb
=3zb.451 =451.3zb 8=45n.1o =45n.40l =45n.2q =45n.428 7=3zb.45s =45s.3zb =3zb.45t =45t.3zb =3zb.45u =45u.3zb =3zb.45v
=45v.3zb =3zb.45w =45w.3zb =3zb.45x =45x.3zb =3zb.45y =45y.3zb a=3zb.1g =1g.3zb =3zb.46g =46g.3zb =3zb.46h =46h.3zb
=3zb.46i =46i.3zb =3zb.46j =46j.3zb =3zb.46l =46l.3zb =3zb.46m =46m.3zb 3=3zd =3c c=3zb.47g =47g.3zb b=3zb.47u
=47u.3zb b=3zb.487 =487.3zb d=qc 4=2w =3c =47k.418 =47k.34 =47k.41a =47k.2s =47k.41c =47k.2q =47k.2q.lj =47k.41v 1=36
6*3+49h.422 =49h.2y =49h.426 *2+49h.428 q=2q 4=2u f=gg =2p 15=3b =36.32 h=428 =421 =443 2=44a q=477 =47a =47e 9=i2
=qx 4=i2 =qx 1j*2=3c =47k.417 =49h.421 *2+49i.423 =49i.2y =49i.426 *2+49i.428 =49z.3zb =4a0.3zb =4a1.3zb =4a2.3zb
=4a3.3zb =4a4.3zb =4a5.3zb 2= 1d=1o 4=3c 9=30 =4hp 9=13 8=2z =36.32 1=qw 8=4ho 9=3zb =k0 =17 2=hk 1w=8uf 31=4o2 g*2=
1*4+2t0 b=lm 4=2tk 7=lm =2sv =2u2 3=2tr =2u3 14=k0 5=k0 1*5= 1x=4s5 1s=4t8 s=3zb.4vl 2=3zb.4vo 2=3zb.4vs 8=3zb.4w0
3=3zb.43m =43m.3zb =3zb.43n =43n.3zb =3zb.43o =43o.3zb =3zb.43p =43p.3zb =3zb.477 *4+3zb.47a =3zb.47f 8=4wv.3z2
=3z2.4wv 2=477.3zb 2=47y.3zb =486.3zb =48b.3zb 2=492.3zb 1=49j.3zb 2=3b.3zb 2=4c4.3zb 1=4d7.3zb 2=4wr 62=526 =52p
4u=56t f=56t o=59k.59k 1=59m.59k 8=1cr 2=ma 26=5c5.5dh 1=5c7.5dh 1=5c9.5dh 1=5cb.5dh 1=5cd.5dh 3=5ch.5dh 14=5dm.5dh
1=5do.5dh 2=5dq.5dh =5dr.5dh 1=5du.5dh e=5cd =5ch 4=5d4 3=5e8 2=5em.5em 64=5kr.5kr 1u=5mm.5mm =2q =tw =33 =2r *2=38
=jt.2q =2q.mt 8*n+3bk =3d *j+3c8 2*2+3ct =33 g=le 1=lg =13.13 1=mj 2=mm =ml =lq 1=mh *2+mb e=ly i=2p 3*2+2r 1=2t =1f
1*2+2y 1=36.32 =on =33 =gk =33 2=d9.33 3=34 =un 1*2+38 3*2+3a =3e 1=1e 1=36 =i4 =qo =34 1=i4 =2p =2p.2t =2q 1*2+2s
=d9 *2+2v =30 *3+2y =36.32 =32 1=33 =1k =4wm =36 *2+38 =3b =2p =gg =2p =5qa =2q *2+2s =d9 =gr =1f =2v 1=2z =36.32 =97
=33 =gk *2+5qu =34 *2+38 =5r1 =3b =3a =5r9 =2q =36 =qc =hk =3c =30 =36 *2+39 =2q =36 =34 =hk =3c =39.2t 2=2u.ms
=36.32.ms =32.ms 1=36.ms =hq.ms =37.ms =38.ms =3e.ms 1=2w 2*2=30.mt =34.mt =39.mt =i2.mt 3=2v 8=3d 3=gb a=gi =2r =gl
=2s.mt =gr =2u =gv =2v =h1 =30.mt *2=30 =30.mt =2y =30.ma =5tx =30 =36.32.m9 =hc *2+32.m9 =32 =33.mt =hk =37.ma =hv
=bv =39.mt =i2 *2=39 =4wk =4ee =3e.ma =i9 =1f =33.mt 1s*2=2p.md *2=2q.lj *2=2q.mb *2=2q.m8 *2=2r.ld.m9 *2=2s.lj
*2=2s.mb *2=2s.m8 *2=2s.m9 *2=2s.ml *2=2t.lc.lg *2=2t.ld.lg *2=2t.ml *2=2t.mo *2=2t.li.m9 *2=2u.lj *2=2v.lg *2=2w.lj
*2=2w.mb *2=2w.lk *2=2w.m9 *2=2w.mm *2=30.mo *2=30.ld.lk *2=2z.ld *2=2z.mb *2=2z.m8 *2=30.mb *2=30.lg.mb *2=30.m8
*2=30.ml *2=36.32.ld *2=36.32.lj *2=36.32.mb *2=32.lj *2=32.mb *2=32.m8 *2=32.ml *2=33.ld.lf *2=33.lf.lk *2=33.lc.lg
*2=33.ld.lg *2=34.ld *2=34.lj *2=36.lj *2=36.mb *2=36.lg.mb *2=36.m8 *2=37.lj *2=37.mb *2=37.ld.lj *2=37.lj.li
*2=37.lj.mb *2=38.lj *2=38.mb *2=38.m8 *2=38.ml *2=39.mc *2=39.mo *2=39.ml *2=39.ld.lf *2=39.lg.lk *2=3a.lf *2=3a.mb
*2=3b.lc *2=3b.ld *2=3b.lk *2=3b.lj *2=3b.mb *2=3c.lj *2=3c.lk *2=3d.lj *2=3e.le *2=3e.mb *2=3e.m8 =2w.m8 =38.lk
=3b.lm =3d.lm =2p.13 =37.lj 1=2u =37.37 =qc *2=2p.mb *2=2p.ll *2=2p.ld.le *2=2p.lc.le *2=2p.le.ll *2=2p.le.lf
*2=2p.le.mb *2=2p.ld.li *2=2p.lc.li *2=2p.li.ll *2=2p.lf.li *2=2p.li.mb *2=2t.mb *2=2t.ll *2=2t.lf *2=2t.ld.le
*2=2t.lc.le *2=2t.le.ll *2=2t.le.lf *2=2t.le.mb *2=30.ll *2=30.mb *2=33.mb *2=33.ll *2=33.ld.le *2=33.lc.le
*2=33.le.ll *2=33.le.lf *2=33.le.mb *2=33.ld.m3 *2=33.lc.m3 *2=33.ll.m3 *2=33.lf.m3 *2=33.m3.mb *2=39.mb *2=39.ll
*2=39.ld.m3 *2=39.lc.m3 *2=39.ll.m3 *2=39.lf.m3 *2=39.m3.mb *2=3d.lc *2=3d.mb *2=3d.ll *2=3d.lf =64b 1=64d 1*2=3d
*2+2p.lv *2+2p.lc.lv *2+2p.ld.lv =2p.lv.lf =2p.lw.lf *2+2p.lv *2+2p.lc.lv *2+2p.ld.lv =2p.lv.lf =2p.lw.lf *2+2t.lv
*2+2t.lc.lv *2+2t.ld.lv 2*2+2t.lv *2+2t.lc.lv *2+2t.ld.lv 2*2+2w.lv *2+2w.lc.lv *2+2w.ld.lv =2w.lv.lf =2w.lw.lf
*2+2w.lv *2+2w.lc.lv *2+2w.ld.lv =2w.lv.lf =2w.lw.lf *2+30.lv *2+30.lc.lv *2+30.ld.lv =30.lv.lf =30.lw.lf *2+30.lv
*2+30.lc.lv *2+30.ld.lv =30.lv.lf =30.lw.lf *2+33.lv *2+33.lc.lv *2+33.ld.lv 2*2+33.lv *2+33.lc.lv *2+33.ld.lv
2*2+3d.lv *2+3d.lc.lv *2+3d.ld.lv =3d.lv.lf =3d.lw.lf 1=3d.lw 1=3d.lc.lw 1=3d.ld.lw 1=3d.lw.lf *2+qx.lv *2+qx.lc.lv
*2+qx.ld.lv =qx.lv.lf =qx.lw.lf *2+qx.lv *2+qx.lc.lv *2+qx.ld.lv =qx.lv.lf =qx.lw.lf *2+2p.lc *2+2t.lc *2+2w.lc
*2+30.lc *2+33.lc *2+3d.lc *2+qx.lc 2=2p.lv.30 =2p.lw.30 =2p.lc.lv.30 =2p.lc.lw.30 =2p.ld.lv.30 =2p.ld.lw.30
=2p.lv.lf.30 =2p.lw.lf.30 =2p.lv.30 =2p.lw.30 =2p.lc.lv.30 =2p.lc.lw.30 =2p.ld.lv.30 =2p.ld.lw.30 =2p.lv.lf.30
=2p.lw.lf.30 =2w.lv.30 =2w.lw.30 =2w.lc.lv.30 =2w.lc.lw.30 =2w.ld.lv.30 =2w.ld.lw.30 =2w.lv.lf.30 =2w.lw.lf.30
=2w.lv.30 =2w.lw.30 =2w.lc.lv.30 =2w.lc.lw.30 =2w.ld.lv.30 =2w.ld.lw.30 =2w.lv.lf.30 =2w.lw.lf.30 =qx.lv.30 =qx.lw.30
=qx.lc.lv.30 =qx.lc.lw.30 =qx.ld.lv.30 =qx.ld.lw.30 =qx.lv.lf.30 =qx.lw.lf.30 =qx.lv.30 =qx.lw.30 =qx.lc.lv.30
=qx.lc.lw.30 =qx.ld.lv.30 =qx.ld.lw.30 =qx.lv.lf.30 =qx.lw.lf.30 =2p.li =2p.lg =2p.lc.30 =2p.30 =2p.ld.30 1=2p.lf
=2p.lf.30 =2p.li =2p.lg *2+2p.lc =2p.30 =13 =30 =13 =3i =lk.lf =2w.lc.30 =2w.30 =2w.ld.30 1=2w.lf =2w.lf.30 *2+2t.lc
*2+2w.lc =2w.30 *2+13.lc =13.lf =30.li =30.lg =30.lc.lk =30.ld.lk 2=30.lf =30.lk.lf =30.li =30.lg *2+30.lc 1*2+13.lc
=13.lf =3d.li =3d.lg =3d.lc.lk =3d.ld.lk *2+34.lv =3d.lf =3d.lk.lf =3d.li =3d.lg *2+3d.lc =34.lw *2+lk.lc =13
2=qx.lc.30 =qx.30 =qx.ld.30 1=qx.lf =qx.lf.30 *2+33.lc *2+qx.lc =qx.30 *2=13 1*g= *4=19 *2=9oc =30.30 1*2=13 =18 =13
*2=13.13 1=13.13 2=3zb 1=1a =1a.1a =1a.1a.1a =3zb *8= =33.8uf.33.33 =33.8uf.33.33.33 =13 =13.13 =13.13.13 =13 =13.13
=13.13.13 1=1o =1q 1=30.30 1=jt 2=8uf 1=19 =8uf 2=1r.1r =1r.30 =30.1r 4=16 3=33.8uf.33 =3i 3=13.13.13.13 2=k0 2=8yf
=8xu *6= 1*a= =33 =30 2*6+1g =17 =19 =1p *2+14 *2+32 =30 *8+1e =17 =19 =1p *2+14 1=2p =2t =33 =3c =d9 =2w *2+2z
=36.32 =32 =34 *2+37 4=2r.6i3 2=4j =36.32.mv 2=36.37 =3b.mt 1=2s.m8.mt =gr =2z.mt =38.6i3 7=30.38 6=2u t=1cr
10=2p.8uf.2r =2p.8uf.37 =2r =4w.2r 1=2r.8uf.33 =2r.8uf.39 =gr =ul =4w.2u *2+2v *3=2w =2w.mt *4=30 1=32 =32.33 =34
1*3+34 *2=36 2=37.36.32 =38.2t.30 =38.36.32 1=3e 1=qx =i2 =3e =hr =2z =2p.lm *2+2q *3=2t =2u =4ad =36.32 =33 *4+15c
=30 1=2u.2p.3c =qo =3d =36 =qo =hv =wko =wl2 =20hs 1*2=2s =2t =30 =2y 4=4ad 1=30.8uf.1j =30.8uf.1l =30.8uf.30.33
=30.8uf.1f =1e.8uf.1f =30.8uf.1h =1e.8uf.1h =1f.8uf.1h =1g.8uf.1h =30.8uf.1i =1h.8uf.1i =30.8uf.1k =1f.8uf.1k
=1h.8uf.1k =1j.8uf.1k =30.8uf =30 =30.30 =30.30.30 =30.3a =3a =3a.30 =3a.30.30 =3a.30.30.30 =30.3c =3c =3c.30
=3c.30.30 =30 *2+2r =36.32 =30 =30.30 =30.30.30 =30.3a =3a =3a.30 =3a.30.30 =3a.30.30.30 =30.3c =3c =3c.30 =3c.30.30
=30 *2+2r =36.32 3*2=gk 4=33.8uf.1f 7=4i7 3=4iw 4=6mo.mv =6mq.mv i=6ms.mv 6=6nm 8=4ii =4i8 d=6og.mv =6ok.mv =6oi.mv
1c=gg 1=2ojw =d9 =d9.mv 1=qc =33 1=6q0.mv 2=6q3.mv 2=qo 1=hv =19 1=17.lj =8uf =2k =16 =4w =3zb 4=33.33 1=2ojs 2=30
=30.mv =30.30 =30.30.mv 1=3a =32 =39 =hv =hv.hv =hv.hv.hv 1=6r2.6r2 =6r2.6r2.6r2 5=k0 1=19.lj 3=3i 4=3i.mv 2=6rn.mv
2=6rp.mv 1=6rs.mv 6=1p.lj =1p.lj.mb 5=1p.lm 1=1p.le =1p.li 3=1p.ob 1=1p.mv 1=6sh.mv =6sh 6=1o.1o =1q.1q 1=6rx.mv
=1o.mv =1q.mv =6sk.mv =6sl.mv 2=6sy.mv =6sz.mv 2=6t2.mv =6t3.mv 6=6t6.mv =6t7.mv =40l =40g =40l.mv =40g.mv 2=6ti.mv
=6tj.mv b=wwr =33.mt 2=ig 3=33.mt 6=38 =hz 6=6ua.mv =6ug.mv =6uh.mv =6uj.mv g=6qv =3a =32 =39 =4ik =3zb 2=4im
d=1o.3zb =3zb.1q =1o.1o.1o =1q.1q.1q 6=6t8.mv =6t9.mv =6tt.mv =6tu.mv 6=6uq.mv =6ur.mv =6us.mv =6ut.mv =8yf
=3zb.3zb.3zb 4=gr a=2t =6px 10=6xw 3=9jj n=9j0 n=qc.mq =4ik.mq 1=4w.mq 2=6u3 1=38.lk =33.lk =6va.lk =4w.lk =17t
2=3i.lk =3zp 1*2+33.ms 6=30 =34 =qx =2p.mq =gr.mq =30.mq =qx.mq =2p 4=4hp s=ffs 2=ffs 2=ffs 2=ffs 4=ffs 3=ffs i=6z9
=6z2 =6yz 2=6zx x=30.33 j=73v =30 24=2k.2k l*a+7sw =30.30 *8+30.1e =1e.33 =14.30.15 =14.1e.15 =14.1f.15 =14.1g.15
=14.1h.15 =14.1i.15 =14.1j.15 =14.1k.15 =14.1l.15 =14.30.33.15 =14.30.30.15 =14.30.1e.15 =14.30.1f.15 =14.30.1g.15
=14.30.1h.15 =14.30.1i.15 =14.30.1j.15 =14.30.1k.15 =14.30.1l.15 =14.1e.33.15 =30.1a =1e.1a =1f.1a =1g.1a =1h.1a
=1i.1a =1j.1a =1k.1a =1l.1a =30.33.1a =30.30.1a =30.1e.1a =30.1f.1a =30.1g.1a =30.1h.1a =30.1i.1a =30.1j.1a =30.1k.1a
=30.1l.1a =1e.33.1a =14.2p.15 =14.2q.15 =14.2r.15 =14.2s.15 =14.2t.15 =14.2u.15 =14.2v.15 =14.2w.15 =14.30.15
=14.2y.15 =14.2z.15 =14.30.15 =14.36.32.15 =14.32.15 =14.33.15 =14.34.15 =14.35.15 =14.36.15 =14.37.15 =14.38.15
=14.39.15 =14.3a.15 =14.3b.15 =14.3c.15 =14.3d.15 =14.3e.15 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32
m*2=9oc 1=7b6 b=7bg j=7bw 25=8uf 1=3c k=6q6 7=7f0 3=jt 2=7fa 5=7fc 2=6q6 g=739 1=qc 3=6ur =7g6 1=7g6 2=1f3w 3=6uq
5=4ik 2=4ik =4w 2=6ym h=6xe 5=4w y=ig 6=7fl k=1ggu a=8tz 7=70o 5=73y f=6rz j=4ik 6=2jx4.2jxh =2jx4.2jxh.2jxq 1t=1v4
57*2+14 2=9jj =6y2 =1o =1q 2*2+14 =3f =3h v=17 =19 =6v 16=hz 5=2k.40l =40g.8uf 1=8uf 1=2k b=38 e=9jj =6y2 m= 8a*2=3c
1i=4i8.4ii 1=6o3.6o2 8=4i8.6o2 =6o3.4ii 15=8xu m=6yx d=6ym 5=9j0 =6yq 1=6yj e=1f40 2=87u q=k0.6mq =2k =8uf.lg 1=8uf
=2k 6=ig =wwr =6tz *2+6tp *2+6tv 5=hv.hv.hv.hv g=4im 2=1q.1q =4ii =17.lm *2+17.le =17.mb =17.mo =17.1e 1=19.lv =19.mb
4=3c =3c.lj c=6xl =8bj =6q8 16=3i.lj 3=1p.6i8 5=k0.k0.1p =1p.1p =1p.1p.1p 1a=1q.1o 4=4b9 =4b6 17=40g.40l 4=8gt.mv
u=8uf.8uf.8uf 1=8uf.8uf 6m*4+6n2 g*1c+8q8 1c=8rl 1=30.ms =34.mt =36.ma 1=38.mv *2=2w.mh *2=2z.mh =8rw 1=2p =36.32.m9
=gg =gi 1=8s3 2*2=oh 5=2y =3a *2+fz =8sh 1=8sj 1*2=36 *2=qc *2=gr =8sr 1=8st 1*2=2w =8sx 1*2=30 *2=2z *2=i4 *2=36.32
*2=32 =8t9 1*2=33 *2=qo *2=34 *2=2r *2=38 *2=3d *2=hk *2=3c *2=qw *2=qx =8tv 1*2=1o.3zb =8tz 1=8u1 1*2=19 *2=ug =8u7
1=8u9 1=8ub 1=8ud 1=8uf 1=8uh 1*2=1l *2=1f =8un 1=8up 1*2=1i =8ut 1=8uv 1=8ux 1=8uz 1*2=rx =8v3 1=8v5 1=8v7 1=rb
4=7jb 1=8vg 1=8vi 4=8vn 6=2k.2k 1j=33.mt 5=i4 =3a =2t =d9 6=33.mv 6=3zb.3zb.3zb =hv 7=30 2=33 =35 3=ig 3=3c 2=qc
2=4j3 b=8yp 3c=5wf 1=lm 1=5wu =o8 1=of 6*2+o3 y=19.lk 3=3i.lj =3i.mb 6=40l =40g =14.14 =15.15 =6r9 =6r8 =6rb 1=17j
1=4w =3zb =170 2=17f 3=qc 3=8xu 1=52 =1p 1t=fh7 =fh6 1=9lw 3=g76 1=aim 2=g1s =i77 =i76 1=ik3 =inu =itt 1=ix0 =b96
=jf0 =jzp 1=k4h 2=l8a =lal =lch =ldh =ldm =m7g =mjv 1=ffw 1=mnh 2=p5e 1=ny3 1=oop 1=p5f =p5e 6=paa =pds 3*3=prt =qj2
=qxw =r5s =r5r =r7l 2=rkw =rvh 1=sbq *2=sdy 1=tnh =tc5 *2+tiv =tj3 =tm0 1=tnh 1=tw2 =u06 =u45 =u6m *2+u72 1=u74 =uar
1=ui4 1=unw =uws 2=vc6 =vd0 1=k21 =vgw =l7z =vi7 =o9o =vix 1=fi8 =vj3 c=9oc =ffs =2k =8uf =fh5 =fid =9mz =fj4 =fju
=g1r =g2t =9n3 =g3m =g46 =g4r =g68 =g6t =g74 =9m3 =ge1 =get =gey =gfs =gg1 =9mw =gh5 =ghu =gja =gjs *2=9nx *2=h7j
=hky =hl6 =9mn =hlz =ho3 =i1c =i2o =i60 =i6n =i76 =i7s =i9a =i9d =ijf =9m0 =ik1 =ike =inm =inu =inz =ir8 =iri =irv
=is3 =its =iu9 =iur =iwz =jd4 =jee =jez =jzj =jzo =k1z =k2f =k2s =k3d =k4g =k4l =kc0 =kco =kdk =l5s =l7m =l89 =l9v
=laj =las =laz =lcf =lck =ldg =m7f =mju =mk6 =mkb =mkf =mkn =ml5 =ml7 =mng =mtg =mtl =n30 =n3a =n4o =n4v =n54 =n5c
=n7v =n82 =nee =nel =nfy =ngf =nhq =nob =noi =noz =ny2 =o1k =o1q =o6s =o97 =oah =okz =ooo =p4m =p5d =p6y =p8d =pa9
=pak =paq =pbn =pdr =pe1 =pnn =pnu =po3 =poc =pos =pp7 =ppb =pri =prm =prs =qj1 =qjv =qww =qx8 =qxv =r5q =r63 =r82
=r9c =rp3 =rpi =rpx =rqw =rrx =rxg =rxs =rzn =s6j =s7e =sd7 =sds =sdx =sk1 =sp5 =ssm =sss =ssx =tiv =tj4 =tng =trq
=trt =tt4 =tw1 =twe =twi =twp =tzf =u0d =u0j =u0x =u5k =u6z =u73 =uc6 =uc9 =ucs =ujs =ul4 =ulb =un9 =unj =unm =unw
=uoq =uzp =vat =vb3 =vc5 =vcr =vcz =vd9 =vdd =veh =vel =vf2 =vf7 =vfk =vgb =vgq =vgy =vil =vj0 =vj4 16= 1=kz =13.13
3=33 =9jj =6y2 8=6go 1*2+14 4*2+7vq g=ll =md 5=8uf 2=6go 1=gg1 *2+gg4 h=9jf.9ll 1=9jh.9ll 1=9jj.9ll 1=9jl.9ll
1=9jn.9ll 1=9jp.9ll 1=9jr.9ll 1=9jt.9ll 1=9jv.9ll 1=9jx.9ll 1=9jz.9ll 1=9k1.9ll 2=9k4.9ll 1=9k6.9ll 1=9k8.9ll
6=9kf.9ll =9kf.lm 1=9ki.9ll =9ki.lm 1=9kl.9ll =9kl.lm 1=9ko.9ll =9ko.lm 1=9kr.9ll =9kr.lm m=9ja.9ll 5=lm =9ll =lm
1=9lp.9ll =9l4.9l6 =1p b=9m3.9ll 1=9m5.9ll 1=9m7.9ll 1=9m9.9ll 1=9mb.9ll 1=9md.9ll 1=9mf.9ll 1=9mh.9ll 1=9mj.9ll
1=9ml.9ll 1=9mn.9ll 1=9mp.9ll 2=9ms.9ll 1=9mu.9ll 1=9mw.9ll 4=8uf 1=9n3.9ll =9n3.lm 1=9n6.9ll =9n6.lm 1=9n9.9ll
=9n9.lm =9ko =9ko.9ll =9ko.lm 1=9nf.9ll =9nf.lm m=9ly.9ll 2=9nz.9ll =9o0.9ll =9o1.9ll =9o2.9ll =3zb 2=9od.9ll
=9mb.9mw 1e=9pt.9pt =9pt.9qd 1=9pw.9qg =9pw.9qm 1=9pz.9pz 1=9q1.9pt *2+9q1.9q9 =9q1.9qd *3+9q1.9qk 2=9qa.9qa =9qa.9qd
1=9qd.9qd 2=9qg.9qg 6=9qn.ffs 1=9qp.ffs 1=9qr.ffs 1=9qt.ffs 1=9qv.9qn =9qv.9qn.ffs =9qv.ffs 2=9r0.9qr =9r0.9qr.ffs
=9r0.ffs 1=9oc =9oc.ffs =ffs = =9pw.9pw =9pw.9pz =9pw.9qd =9pw.9rz =9q1.9pt.9qd =9q1.9pz =9q1.9qa.9qd =9q1.9rz
=9q1.9s6 =9q9.9qa =9q9.9qd =9q9.9rz =9q9.9qf =9qa.9pt =9qa.9pz =9qa.9qd.9pt =9qa.9qd.9pz =9qa.9qg =9qa.9qk =9qa.9qf
=9qa.9qa.9qf =9qd.9pt =9qd.9pw =9qd.9pz =9qd.9qa =9qd.9qg 1=9qf.9qf 1=9qf.9qd =9qf.9rz =9ql.9qf =9qm.9qm 1=9qz.9qp
=9qz.9qp.ffs =9qz.ffs =9r4.9qt =9r4.9qt.ffs =9r4.ffs 1=9sd.ffs 3=9oc =9mz =fex =h5n =fey =ffx =fez =n5e =fh5 =ffd
=fep =hm1 =h80 =fju 1c=9oc =ffs 1=8uf =2k 1=fh7 3=fid =9jj 3=fh6 =fh5 v=14.9pt.15 =14.9pw.15 =14.9pz.15 =14.9q1.15
=14.9q9.15 =14.9qa.15 =14.9qd.15 =14.9qf.15 =14.9qg.15 =14.9qi.15 =14.9qj.15 =14.9qk.15 =14.9ql.15 =14.9qm.15
=14.xz4.15 =14.yvs.15 =14.zc4.15 =14.108s.15 =14.10p4.15 =14.115g.15 =14.1224.15 =14.12ys.15 =14.13f4.15 =14.14bs.15
=14.14s4.15 =14.158g.15 =14.15os.15 =14.1654.15 =14.13p8.15 =14.1350.13ic.15 =14.1350.16f8.15 1=14.9oc.15 =14.9mz.15
=14.fex.15 =14.h5n.15 =14.fis.15 =14.g31.15 =14.fer.15 =14.9n3.15 =14.fh9.15 =14.gg1.15 =14.kco.15 =14.m7f.15
=14.ldg.15 =14.kdk.15 =14.ssx.15 =14.h7j.15 =14.k4l.15 =14.kkq.15 =14.kcp.15 =14.ny6.15 =14.glp.15 =14.mm1.15
=14.rs1.15 =14.nz1.15 =14.gc4.15 =14.fkz.15 =14.gos.15 =14.i1y.15 =14.nhf.15 =14.flt.15 =14.rt3.15 =14.ggk.15
=14.nzh.15 =14.fm9.15 =14.pnu.15 =14.po3.15 =gun =inw =k1z =oen 8=34.38.2t =1e.30 *8+1e.1e =1f.33 =1f.30 *4+1f.1e
=9pt =9pw =9pz =9q1 *2+9q9 =9qd *2+9qf *5+9qi =xz4 =yvs =zc4 =108s =10p4 =115g =1224 =12ys =13f4 =14bs =14s4 =158g
=15os =1654 =14c8.y5c =13p8.13dk =138w 1=9oc =9mz =fex =h5n =fis =g31 =fer =9n3 =fh9 =gg1 =kco =m7f =ldg =kdk =ssx
=h7j =k4l =kkq =kcp =ny6 =glp =mm1 =rs1 =nz1 =gc4 =o2g =n5j =ho3 =six =g16 =ghc =lig =u11 =fm9 =g49 =l7n =fey =ffx
=fez =ijq =gkz =gfv =i3b =i1y =nhf =flt =rt3 =ggk =hlo *4+1f.1i =1g.33 =1g.30 *8+1g.1e =1h.33 =30.kco =1e.kco =1f.kco
=1g.kco =1h.kco =1i.kco =1j.kco =1k.kco =1l.kco =30.33.kco =30.30.kco =30.1e.kco =2w.2v =2t.36.2v =2t.3a =30.38.2s
=9lu =9lw =9ly =9m0 *2+9m2 =9m5 =9m7 =9m9 =9mb =9md =9mf =9mh =9mj =9ml =9mn =9mp =9ms =9mu =9mw *4+9my =8uf =9n3
=9n6 =9n9 =9ko =9nf *5+9ni =9no =9nq *6+9ns *4+9nz =fl0.gp8 =9lu.9n3.lm.9oc.9mw =9lu.9nv.9n9.9lt =9lu.9o3.9ko.lm.9lu
=9lu.9oc.9nv =9lw.9mz.9o3.9m7.9ll =9lw.9o3.9mp =9ly.9m1.9o3 =9m0.9mh.9m7.9oc.9mw.9ll =9m0.9oc.9m3.9oc =9m2.9o3.9mh
=9m2.9oc.9nk =9m3.9lw.9nu =9m3.9nt.9mr.9mw =9m3.9nx.9nu.9oc =9m3.9ll.9nx.9o3 =9m3.9ll.9o3.9ni =9m5.9ll.9m3.9ll
=9m5.9ll.9mz.9oc =9m5.9np.9nu.9oc =9m5.9ll.9nv.9mn.9ll.9oc =9m5.9nx =9m5.9nx.9m7.9ll.9nt.9nk =9m5.9nx.9nl.9oc.9mw.9nv
=9m5.9nx.9nz.9mr.9mw =9m7.9ll.9nt.9nk =9m7.9ll.9nt.9nk.9mw.9o3 =9m7.9nv.9mj.9ll.9lw.9nx =9m7.9nx.9oc.9n1 =9m9.9oc.9mh
=9mb.9nv.9my =9mb.9oc.9nf.lm =9md.9lw.9m7.9nv =9md.9o3.9mp.9oc.9nk =9mf.9nu.9o3.9m7.9ll =9mj.9o3.9mp =9mj.9o3.9mw
=9mn.9ll.9oc.9mh =9mu.9ll.9mf =9mw.9ll.9nv =9mw.9o3 =9my.8uf =8uf.9mr.9mw =9n3.9lw.9ms =9n3.lm.9oc.9mj.9o3.9mw
=9n3.lm.9oc.9ms =9n3.9ll.9oc.9nw.9nv =9n6.lm.9lu.9mh.9mw.9nv =9n6.lm.9m7.9nv =9n6.lm.9mb =9n6.9ll.9nv
=9n9.9lt.9nt.9mr.9mw.9ll =9n9.9lv.9oc.9mw =9n9.9ll.9mr.9mf.9lz.9nv =9n9.9nt.9o3 =9ko.9m7.9mn.9oc.9nv =9ko.lm.9ml
=9ko.lm.9mz.9n6 =9ko.9nv.9ms =9ko.lm.9o3.9mh =9ko.lm.9oc.9mf.9ll =9ko.9ll.9oc.9mn =9nf.lm.9lw.9o3.9mw
=9nf.9ll.9nv.9mw =9nf.9o3 =9nf.lm.9o3.9mw.9ll =9nf.9oc.9nv =9nf.9oc.9o3 =9ni.9lw.9m7.9nx =9ni.9lw.9nv =9ni.9mr.9n3
=9ni.9nv.9m7 =9ni.9o3.9mf.9nr.9o3 =9nj.9m7.9nx.9o3 =9nj.9nu =9nj.9nu.9n3.9ll.9oc.9nv =9nl.9m3.9ll
=9nl.9m3.9ll.9mw.9o3 =9nl.9oc.9mw.9nv =9no.9oc.9mw.9ll =9no.9oc.9nv =9nq.9lu.9o3 =9nu.9mr.9mw.9nv =9nu.9nt
=9nv.9n6.lm.9oc =9nv.9oc.9n9.9ll.9nv =9nw.9nk =9nw.9o3.9mw.9m9.9ll.9o3 =9nz.9mr.9mw =33.m9l =30.m9l =1e.m9l =1f.m9l
=1g.m9l =1h.m9l =1i.m9l =1j.m9l =1k.m9l =1l.m9l =30.33.m9l =30.30.m9l =30.1e.m9l =30.1f.m9l =30.1g.m9l =30.1h.m9l
=30.1i.m9l =30.1j.m9l =30.1k.m9l =30.1l.m9l =1e.33.m9l =1e.30.m9l =1e.1e.m9l =1e.1f.m9l =1e.1g.m9l =2w.34.2p =2s.2p
=2p.39 =2q.2p.36 =33.3a =34.2r =2s.36.32 *2+2s.36.32.1e =30.39 =inn.jdc =k6l.gp8 =hlz.l7n =k5q.lh7 =kkq.irz.fmi.ny6
=34.2p =32.2p *2=36.32.2p *2+2z.2p =36.32.2q =2v.2q =2r.2p.30 =2z.2r.2p.30 =34.2u =32.2u *2+36.32.2u =36.32.2v =2z.2v
=2w.3e =2z.2w.3e =36.32.2w.3e =2v.2w.3e =38.2w.3e *2=36.32.30 =2s.30 =2z.30 =2u.36.32 =32.36.32 *2=36.32.36.32
=2r.36.32 =2z.36.32 =36.32.36.32.1e =2r.36.32.1e =36.32.1e =2z.36.32.1e =36.32.36.32.1f =2r.36.32.1f =36.32.1f
=2z.36.32.1f =36.32.8uf.37 =36.32.8uf.37.1e =34.2p =2z.34.2p =36.32.34.2p =2v.34.2p =36.2p.2s =36.2p.2s.8uf.37
=36.2p.2s.8uf.37.1e =34.37 =32.37 *2=36.32.37 =34.3a =32.3a *2=36.32.3a =2z.3a =36.32.3a =34.3b =32.3b *2=36.32.3b
=2z.3b =36.32.3b =2z.qx =36.32.qx =2p.1a.36.32.1a =2q.35 *2+2r.2r =2r.8uf.2z.2v =2r.33.1a =2s.2q =2v.3d =2w.2p =2w.34
=30.32 =2z.2z =2z.36.32 =2z.38 =30.36.32 =30.32 =30.33.2v =30.3c =36.32.2q =36.32.30.30 =36.32.33.30 =34.2w
=34.1a.36.32.1a =34.34.36.32 =34.36 =37.36 =37.3a =3b.2q =3a.8uf.36.32 =2p.8uf.36.32 =30.k4l =1e.k4l =1f.k4l =1g.k4l
=1h.k4l =1i.k4l =1j.k4l =1k.k4l =1l.k4l =30.33.k4l =30.30.k4l =30.1e.k4l =30.1f.k4l =30.1g.k4l =30.1h.k4l =30.1i.k4l
=30.1j.k4l =30.1k.k4l =30.1l.k4l =1e.33.k4l =1e.30.k4l =1e.1e.k4l =1e.1f.k4l =1e.1g.k4l =1e.1h.k4l =1e.1i.k4l
=1e.1j.k4l =1e.1k.k4l =1e.1l.k4l =1f.33.k4l =1f.30.k4l =2v.2p.30 14j=app 1yf=ako 3o=bp7 1y7=9oc 1h=2k 8=8uf 24=9mz
1a=9lw 92=fp1 1l=ftw 8e=9n3 8f=9m3 5c=9mw 3q=9nx aj=gur af=9nx b7=hgh 3j=h7j j=hij l=9mn dm=hwv kk=9m0 24=ild t=bp6
rr=jee cw=bi9 gp=cov 5=k7u 3w=bmi 1b=dhf 60=kfi dl=bs3 1p=kv1 10x=lu0 1rp=npw 10m=or9 mn=kcs z=kcw 5=kcv 11=bp1 a=kcz
11=kd4 p=ph8 2t=kdf pj=q6l 75=qif rg=dyu 2m=ram 7l=rk6 5v=rq4 82=ry7 37=s11 4g=s5z 3v=s8v c6=slq jz=t65 ll=trr
1hm=v9e 3y=vdd 6o=cop y8=w5p 7=vr4 1=vnu 8=wgo =vua 3=vo0 3=wci 9=wcf 3=w4x =w2h =wbv 1=wc5 d=2q =34 =2s 1=38 =hz =2v
=2z 1=2y =2r =gk =3e =2u =4ad =36.32 =32 1=37 =36 =39 =i4 =3a =2w 2*3+3b =4f4 =2p =gg =2t =d9 =30 =33 3=4bl =1a =18
=1a.1a =1a.18 1=k0 =19.1a =1p 7i=1a 1d=wu9 1=wub 1*2=1e *2=30 =wuh 1*2=5mw *2=qx =wun 1*2=jt.2q.30 =wur 1=wut 1=wuv
1=wux 1=wuz 1=wv1 1=wv3 1=wv5 1=wv7 1=wv9 1=wvb 1*2=ig =wvf 1=wvh 2=6i1 c=li 1=jr 1=ww1 1=ww3 1=ww5 1=ww7 1=ww9 1=wwb
1=wwd 1=wwf 1=wwh 1=wwj 1*2=2w.lw =wwn 1*2=33.33 =wwr 1=jt.2q =2q 3=on e=4hl =oh r=ip =i4 c=qo 3=3a b=1r 3=1e =le =lg
2=wz7.wz7 v=kr 1=kq b=x0j 1=x0l 1=x0n 1*2=38.1f =x0r 1=x0t 1=x0v 1=2u =37 *2=2p.2p *2=2p.33 *2=2p.39 *4=2p.3a
*2=2p.3d *2=ot *2=2z.mt =x1f 1=x1h 1=x1j 1=x1l 1*2=33.mt =x1p 1*2=33.33 =x1t 1=x1v 1=x1x 1=x1z 1=x21 1*2=1e =x25
1=x27 1*2=3b.m9 =x2b 1=x2d 1=x2f 1=x2h 1*2=1f =x2l 1*3=1l 6=38.2u =12 =x2y 1=x30 1=5tl =x33 1=x35 1=x37 1=x39 1*2=8w0
1=k0 1*2=13 =h1 1=3zb =x3l 1*2=gr 1=x0n =x3r 1*2=2u =x3v 1*2=ii *2=39 =x41 1=x43 1=x45 1=x47 1=x49 1=2w.lw =1f =2v
=h8 =30 =35 =im =hz =2y =3c *2=2q *2=qx =x4p 1=x4r 1=x4t 1=x4v 1=x4x 1=x4z 1=x3o =37.ma =5u6 =x54 1=x56 6=x5d 5=x5j
1=x5l p=2r =2u =35 =x6e 1=9oc =2w.mt =33.2t 1=4af 9w*2+9pz.9q9 =9pz.9qd =9pz.9qg =9q1.9pt =9q1.9pt.9pt =9q1.9pz
=9q1.9pz.9pz *2+9q1.9q9 =9q1.9qa.9qa =9q1.9qa.9qf =9q1.9qd =9q1.9qg =9q1.9qj =9q9.9pt =9q9.9pz =9q9.9qd =9qa.9qd.9qk
=9qa.9qj =9qa.9qm =9qd.9qd.9qa =9qf.9q1 =9qf.9qm =9qg.9qg.9qm =9qk.9qk =9ql.9qm =9qm.9qd =9s6.9s6 l=8qn g=xi5 y=xjk
8=19e 3n=xkx 2=xlv 63=2t 2=2u 7=33 =33.mv =gk.mv 1=d9.33.mv =d9.33.mt 4*2=36 4=hv =39 3=39 =3c 1=3c 4=3d 1=x0n =xtj
=30.ms =39 =ux 1=gk.2t =39.33 5=36.32 8=38 1=33.m3 =30 2=oh =3d =2p =2y =2t 1=1r 1=oh =36 1=3b 3=36.32 5=3d =33.mt
=bv =2v 1=2w =3e 7=gr =39.mt 1=1g =2q 4=3b =37 3=3a =37 4=2r 2=34 3=2z =2s 3=33.mt 2=1i 8oh=9qv.9qt =9qv.9qv.ffs
=9qz.9qn =9qz.9qn.ffs =9qz.9qr =9r0.9qt =9r0.ffs.ffs =9r4.9qn.ffs =9r4.9qv =9oc.9qn =9oc.9qr =9oc.9qr.ffs =9oc.9qv
=ffs.9qp.9qv =ffs.9qp.ffs =ffs.9qt =ffs.9qt.ffs =ffs.9qv.ffs =ffs.9qz =ffs.9r4 =ffs.ffs =9sd.9qn =9sd.9qr.ffs
4=9pw.9q1 =9pw.9qi =9pz.9pz =9pz.9pz.9qa =9pz.9qa =9pz.9qd =9pz.9qd.9pt =9pz.9qg =9pz.9qi =9pz.9qk =9q1.9pt.9pt
=9q1.9pt.9qm =9q1.9q1.9qj =9q1.9q9.9qm =9q1.9qa.9pz =9q1.9qa.9ql =9q1.9s1 =9q1.9s6.9qm =9q1.9qf =9q9.9pw =9q9.9pw.9pw
=9q9.9q9 =9q9.9qa.9qd =9q9.9qg =9qa.9pz =9qa.9q1.9ql *2+9qa.9q9 =9qa.9qd.9pz =9qa.9qg =9qa.9qi =9qd.9q9 =9qd.9qa.9qf
=9qd.9qd.9pt =9qd.9qd.9pz =9qd.9rz =9qd.9qg =9qd.9qi =9qd.9qk =9q1.9qm =9rz.9qa =9rz.9qa.9qf =9s1.9q9 =9s1.9qm
=9qg.9qa =9qg.9qa.9qa =9qg.9qg =9ql.9qd =9ql.9qk 6is=rpk =kc4 =s7e =rt4 =lw1 =fg2 =gkl *2=vj0 =hn5 =ssx =gw7 =hmw
=jcm =ne1 =p6t =qin =qt6 =r20 =sjz =kxu =ljv =mah =mvy =q4d =sq2 =uep =fia =ghh =l50 =mjf =qi5 =v8e =ifk =m3v =qfh
=r50 =jih =pnc =qvz =iq2 =kd3 =lm2 =mpo =slq =fpi =g53 =gda =jwk =l3n =mj4 =nhj =pa9 =qh2 =qjg =s1b =tv6 =upb =v7e
=nt8 =nzz =otc =q15 =t1g =vb3 =rfa =hjz =iro =okg =pdq =mle =nuy =rsy =ttj =hjs =i8y =kyb =lp6 =lxr =oq7 =oxj =tor
=gcy =pe3 =g64 =g5o =o4c =ou6 =q29 =tpx =rk0 =jin =kxu =rge =fg9 =i5j =iz6 =mtj =n74 =gev =nwb =fr3 =iw9 =ff1 =lho
=k1k =opu =gjn =hge =ni9 =q4p =re2 =la2 =sds =lfs =jjy =put =jog =n6t =fji =g2x =g5l =kn5 =oo7 =prj =rf6 =ssv =gdx
=gn6 =ho3 =ir0 =k3p =m4e =nxm =tkd =ui2 =vbr =vda =9m3 =kau =l87 =sbm =ino =j9s =jcw =jve =lyb =mdl =n0p =o22 =ovo
=pdb =s9y =q9a =sgz =t3e =g7r =gbn =gql =ma0 =r0i =re2 =iq1 =iyd =jnf =l9q =oji =mt1 =fl0 =h6h =i5j =iii =izg =muq
=mzt =p7e =pc6 =svo =tti =tvs =u1k =fpn =o1a =ss4 =trr =j4x =fie =fyy =i5q =i7z =k2h =kxu =mha =ncy =q9o =sjg =vil
=k94 =tny =gax =kfv =kj7 =lkx =luk =mx5 =n6h =nsb =opc =u3i =g31 =je6 =tq0 =fu3 =ie1 =lpm =sa2 =ivf =j7o =kk7 =mtj
=tqe =g89 =glr =i91 =k5v =kem =ko8 =lid =mx2 =naa =p6h =r0v =r1d =sss =tsy =gfz =lve =gm5 =mhc =n14 =qgq =tr7 =uvr
=vbz =kgn =lor =pns =o97 =obk =olu =mo0 =m8p =riw =fk0 =px2 =g8q =g7b =ip2 =jir =onq =i2t =ljy =kac =saj =qx8 =tot
=r63 =iqb =g1s =gxs 2=hga 1=k8k 2=g66 =mqy =ngq =ny4 =nz2 =nz9 =o0f =tw6 =on2 =p8d 1=qhe 1=rg8 2=shk =sn1 3=u7j =u7w
=u94 =v5g =slq =trr =fqm =fzb =g25 =gcp =gdg =ggh =gwt =gzq =h2g =hfk =hig =i90 =i9a =j2s =j8o =j9q =jci =k0f =k4i
=k9d =kn9 =lmf =lqy =lya =mem =mjv =mxu =ntd =ny6 =nyh =nyg =nyo =nyu =nz1 *2+o0d =o5c =o75 =og0 =ovo =ow9 =oxt =p6a
=pad =pnx *2=prt =q53 =r2o =r6e =rgh =ri1 =rtf =ruw =sdy =shk =tsz =u0v =u2j =j1x 1=pp4 2=ffq =g51 =g2w =fpc =g1x
=g3k =gcn =ge2 =gwt =gut =gwp =gyq =hga =hir =hms =hn8 =huq =i08 =iqa =iqh =iuh =iwd =j4o =j7y =j60 =j9q =j8g =jci
=jec =jpg =jrw =jte =k0m =k8k =kd3 =kd7 =keu =l89 =la2 =lkx =lwb =lvv =lya =m5a =mem =nmv =mk5 =mnj =mqy =n01 =n46
=n5n =nbx =nbz =ngq =nh7 =nhw =nka =nk0 =nv0 =o8h =og0 =ol7 =orf =ovo =p4u =pad =pxu =q27 =qrd =r41 =r5y =r6e =ren
=rg8 =rez =rgh =rge =rfx =ri1 =rka =ruw =sag =sj6 =srd =sxi =tq4 =tsz =tw6 =tzv =u0v =u17 =u2j =umq =vj0 3=brx =cns
=cop 3=vgj =vim 12=2u.2u *2=2u.30 *2=2u.2u.30 *2=37.38 c=12s.12u =12s.12d =12s.12j =132.12u =12s.12l 5=13.mb
1=13.13.14n =15u =15c *2+15f *3+15n =160 =162 =19.lj *2=161.lj *2=161.14s.lj *2+15c.14n =15c.14s =15d.14s =15e.14s
=15f.14s =15g.14s =30.14s =15i.14s 1=3a.14s =13.14s =15m.14s =15n.14s =15o.14s 1=15q.14s 1=15s.14s =33.14s 1=15v.14s
=15w.14s 1=15y.14s =15z.14s =160.14s =161.14s =162.14s =30.lj =15d.14v =15n.14v =15w.14v =15c.15o *2=19t *4=1a3
*4=18p.1cr *4=1a8 *4=1a2 *4=1a7 *4=18p.179 *4=19r.1cr *4=1ba *4=1ac *4=1ab *4=1ae *4=1af *2=1al *2=1ak *2=17z.1cr
*2=17z.179 *2=181.1cr *2=181.179 *4=18j *4=1bj *4=1bn *4=1bl *2=18p *4=18p.179 *2=33.190 *8=33 *2=18p *2=18p.190
x*4=18j.1cr *2=18o.lv *2=18o.li *2=18o.lp =18o.lv.19w *2=18o.1cr *2=1c5 *2=18o.le *4=1a3 *2=18p *2=18p.19w.30
*2=18p.19w.33 *2=18p.19w.18o *2=18p.19w.18o.lv *2=18p.19w.18o.li *2=18p.19w.18o.lp *3=18p.19w.1a3 *3=18p.19w.18p
*4=18p *2+18p.19w.17w =18p.19w.18l *2=18p.19w.18p *3+17s.17w =17s.18l *2=17s.18p *3+17u.17w =17u.18l *2=17u.18p
=18p.1cr.17w =18p.1cr.18l *2=18p.1cr.18p =17w.17x =17w.18l =17x.17w =17x.18l *2+17y.17w =17y.18l *3+183.17w =183.18l
=185.17x =185.18l *3+186.17w =186.18l =187.17x =187.18l =188.18l =189.17w =189.18l =18a.17w =18a.18l *3+18h.17w
=18h.18l *2=18h.18p =18i.17x =18i.18l *2=18i.18p =18j.30 *3+18j.17w *2+18j.18k *2=18j.18p *3+18k.17w =18k.18l
*2=18k.18p *3+18l.17w =18l.18l *2=18l.18p =17s.17y *2+18m.17x =18m.18l *2=18m.18p =33.17w =33.18l *2=33.18p
*3+18p.17w =18p.18l *2=18p.18p =180.lp =181.lp =18p.lp =1e9e.18x =1e9g.18x =1e9i.18x =1e9k.18x =1e9m.18x =1e9o.lp
*2+18p.19w.181 *2+18p.19w.18l *2=18p.19w.18p *2+17s.181 *2+17s.18l *2=17s.18p *2+17u.181 *2+17u.18l *2=17u.18p
*2+18p.1cr.181 *2+18p.1cr.18l *2=18p.1cr.18p *2=18h.18p *2=18i.18p =18j.30 *2+18j.18k *2=18j.18p =18k.18l *2=18k.18p
=18l.30 =18l.18l *2+18m.181 *2+18m.18l *2=18m.18p =18p.lp *2+18p.181 *2+18p.18l *2=18p.18p *3+18p.19w.17w
=18p.19w.18l =18p.19w.33 *3+17s.17w =17s.18l =17s.33 *3+17u.17w =17u.18l =17u.33 =18p.1cr.18l =17w.17x =17w.18l
=17x.17w =17x.18l =17y.17w =17y.18l *3+183.17w =183.18l *2+185.17x =185.18l *3+186.17w =186.18l =187.17x =188.18l
=189.17w =189.18l =18a.17w =18a.18l *3+18h.17w =18h.18l =18i.17x =18i.18l *3+18j.17w *2+18j.18k *3+18k.17w =18k.18l
=18k.33 *3+18l.17w =18l.18l =17s.17y *2+18m.17x =18m.18l =18m.33 =33.17w =33.18l =33.lp *3+18p.17w =18p.18l =18p.33
=18p.19w.18l =18p.19w.33 =17s.18l =17s.33 =17u.18l =17u.33 =18p.1cr.18l =18p.1cr.33 =183.18l =183.33 =183.1cr.18l
=183.1cr.33 *2+18j.18k =18k.18l =18m.18l =18m.33 =18p.18l =18p.33 =18g.ld.18x =18g.lv.18x =18g.lz.18x *2=187.18p
*2=189.18p *2=18a.18p *2=183.18p *2=183.1cr.18p *2=17x.18p *2=17w.18p *2=17y.18p *2=185.18p *2=186.18p *3+183.1cr.17w
=183.1cr.18l =183.1cr.181 =183.181 =185.181 =186.181 *2=187.18p *2=189.18p *2=18a.18p *2=183.18p *2=183.1cr.18p
*2=17x.18p *2=17w.18p *2=17y.18p *2=185.18p *2=186.18p *3+183.1cr.17w =183.1cr.18l =183.1cr.181 =183.181 =185.181
=186.181 *3+183.1cr.17w =183.1cr.18l =183.33 =183.1cr.33 =187.18l *3+183.17w *3+183.1cr.17w =187.18l =188.18l
*2=30.ln *2+14 g=17u.17w.18l *2=17u.17x.17w =17u.17x.18l =17u.17y.18l *3+17u.18l.17w *2=17w.18l.17x *2=17x.18l.18p
=183.17x.17w =183.17w.17x =183.17w.18p *2=183.18l.17x =183.18l.17w *2=183.18l.18l *2=185.17x.17x =185.18l.18l
*2=183.1cr.17x.18l =183.1cr.17w.18p *2=183.1cr.18l.17y *2=183.1cr.18l.18l =186.17x.18p *2=186.17y.18l *2=187.18l.17x
=187.18l.18l =187.18l.18p =189.17w.18l *2=189.18l.18l =189.18l.18p =18a.18l.18l *2=18a.18l.18p *2=18h.17y.18l
=18i.18l.17x =18i.18l.18l =18k.17x.18l *2=18k.17x.18p *2=18k.17w.17w *2=18k.17y.18l *2=18k.18l.17x =18l.17x.17w
=18l.17x.18l =18l.17x.18p =18l.17w.17x =18l.17w.18l =18l.17y.17w =18l.17y.18l 2=18l.17w.17y =33.18l.17w =33.18l.18l
=18m.17x.18l =18m.17x.18p *2=18m.17w.18l =18m.17w.18p *2=18m.18l.18p *2=18p.18l.18l =17s.17y.18p *2=17u.17w.18p
*2=17u.17y.18p *2=17u.18l.18p =17w.18l.18p =17w.17x.18p =17w.18l.18p =183.17y.18p =185.17x.18p =183.1cr.17x.18p
=186.17x.18p =18k.17w.18p =18k.18l.18p =18p.17x.18p =18p.17w.18p =18p.18l.18p =18l.18l.18p =18i.18l.18p =18m.17x.18p
=18i.18l.17x =18k.17x.18l =189.18l.18p =18j.18l.18p =18m.17w.17x =18l.17y.18p =18k.17w.18l =18j.18l.18l =18k.17w.18l
=18m.17w.17x =17w.17x.18p =17x.17w.18p =18l.17w.18p =18h.18l.18p =17s.17x.18p =18j.18l.18l =189.17w.18l =185.18l.18l
=183.17y.18p =18m.17w.18p 14=185.18k.18p =18i.18k.18p =30.18k.18k.18x.lp.33 =30.18j.17s.181 =18l.17x.18l.17z
=185.18k.189.18l =181.183.18o.18k =189.18k.18p.33 =18o.183.18k.18l =185.18k.18p
=185.18k.18p.30.18k.18k.33.189.18k.18p.33.18o.183.18k.18l =17w.18k.17w.18k.30.18k.33 =181.18p.30.18k 3*g= =18 =9hd
=kz =k0 =1n =30 =1r *2+9hy =8yf m=k0 =7b6 =19 =2n =6x3 *6+730 *2+9hs *2+9hm =9jj =6y2 *4+9ho 2=2j =2l *4=jt *3=2n =18
=9hd =1a 1=1n =k0 =1r =30 =19 *2+14 =3f =3h *2+14 1=12 *2+16 =19 =1o =1q =1p 1=2k =10 =33.8uf.33 6=18g.ln 5=18g.ld
1=18g.lv 1=18g.lz 1=18g.18x 1=18g.lm =17l *2=30.lf *2=30.19w *2=18o.19w *2=30.191 *4=18p.19w *2=30 *4=17s *2=17t
*4=17u *4=18p.1cr *4=17w *4=17x *4=17y *2=17z *2=180 *2=181 *2=182 *4=183 *4=183.1cr *4=185 *4=186 *4=187 *4=188
*4=189 *4=18a *4=18h *4=18i *4=18j *4=18k *4=18l *4=18m *4=33 *2=18o *6=18p *2=18k.30.lf *2=18k.30.19w *2=18k.30.191
*2=18k.30 2= 1=30 =13.13 =1e8v =10 =33.8uf.33 *7+12 =9oc =1a =8uf =33 =30 *8+1e =k0 *5+1n =1e97 *8+2p =30 *3+2y
=36.32 *d+32 =14 =2k =15 =9jj =2n =13 *8+2p =30 *3+2y =36.32 *e+32 =7b6 =3h =9i4 *2+879 =kz *2+9ho =9hd =3zb =9o2
=9lt =9lv =9lx =9lz =9m1 =9nn =9np =9nr =9mr =9oc =9lu =9lw =9ly =9m0 *2+9m2 =9m5 =9m7 =9m9 =9mb =9md =9mf =9mh =9mj
=9ml =9mn =9mp =9ms =9mu =9mw *4+9my =8uf =9n3 =9n6 =9n9 =9ko =9nf *5+9ni =9no =9nq *6+9ns =9nz =9o3 =9ll =lm = =9pt
=9pt.9pt =9pt.9qd =9pw =9pw.9qg =9pw.9qm =9pz =9pz.9pz =9q1 =9q1.9pt *2+9q1.9q9 =9q1.9qd *3+9q1.9qk *2+9q9 =9qa.9qa
=9qa.9qd =9qd =9qd.9qd *2+9qf =9qg.9qg *5+9qi 3=9qn =9qn.ffs =9qp =9qp.ffs =9qr =9qr.ffs 2=9qt =9qt.ffs =9qv =9qv.9qn
=9qv.9qn.ffs =9qv.ffs 2*2+9qz =9r0.9qr =9r0.9qr.ffs =9r0.ffs =9r4 2=9oc =9oc.ffs =ffs 3=2r.mv =4j =4s =jt =4m =3d.mt
=3b.mt 1=30 =6mo =4i7 *2+6mq =7fu =4w 7m=3zb 3w=32.lm 7=3c.mt =3a.mt =30.mt.30.mt.37.mt =30.mt.30.mt 6=8vc 69=2q 2=qc
*2+2t 2=30 2=i4 2=3c 1=33 1=4ik =34 *2+37 3=17 4*3+2p =qc 1=2u 2=wwr 2=33 1=rd 2=36.32 =38 =3d =hk =3c *2+qw 1=8xs
m=2w h=17z 2=18o 3=187 9=185 2=3e b*2+2q 6=30 7=36.32 =rd 2=38 1=3c 2=1k 4=16 =30 1=3c 4u=1f9e 1=1f9v 18=1fe0 =gr =ii
=1fe3 =33 *c+1fe5 =wl2 =x3v *2+1fej =2r =1fem =hj *2+1feo =gu =30 *3+1fes =gi =37 *2+1fex =gk =1ff0 =on *2+1ff2 1=gr
=ii 1=33 c=wl2 =x3v 2=2r 1=hj 2=gu =30 3=gi =37 2=gk 1=on 2a=1fgm f=i4 *3+1fix =36 *7+1fj1 =xw *5+1fj9 =33 =ig =72
*8+1fjh =2w.mt =39 =1fjr =4iu =qw =1j =1fjv 4=i4 3=36 7=xw 5=33 =ig =72 8=2w.mt =39 1=4iu =qw =1j o=32 2=33 1=2z 3=2r
=3a 7=2u =30 =3c 20*b+1fo7 1*f+1foj 1*7+1foz 1*2+1fp7 dn*2+k0 =2p.2t =2q =13.2q 1=2s.3e =xuu =2s.i9 =2s.1f =2s.mt
=13.2s =5u9 =go =gu =2u.97 =h0 =2v =2v.13 =ij =2w.mt =2w =h3 =hw =30.37 =30.3e =h8 =2mmc =x3i =30.1f =2mmd =i6 =2mme
=33.mv =33.2t =hj =35 =hm =2mmg =36.ma =hq =36 =38.gl =38.37 =xuv =38.hv =38.ma =8s1 1=3d *2+ip =ig =30 =30.30 =ci
=2mmi =2mn2 hr=mb l=1a 6=1gly.1gly fc*1f+1h34 1z=1h45 1=1h36 pp=1huh.1hve 1=1huj.1hve e=1hut.1hve f=1v4 36=1hyp.1hyf
=1hyq.1hyf 47=1v4 2=mb =1tm f=xdo =xdn 1=6rs 81=lm 22=1idj.1ida =1idj.1idz 5i=1ik4.1iki.1ij6 5=1ik4.1iki.1ijc
a=1ik4.1iki.1ijn 5=1ik4.1iki.1ijt 2=1ik4.1iki.1ijw 1=1ik4.1iki.1ijy s=1ikr.1ikr 1x=1w8 1=1wa 1=1wc 1*2+1we 1=1wh
1=1wy *5+1wk =1wq 3*2+1wu =1ws =1wj =1ww 1*2+1x3 1*2+1xa 7=1xj 1=1xj.1inu =1xj.1xa =1xz =1xj.1xz =li.lj 1=1vn =1xp
=mb =1x9 =3b.lj a=33 *2+1yf 3=1yk 6b=1iuw.1iun =1iux.1iun s*2=1ite *2+1itf *2+1iuq 2s=1iyp.1iyp 59=36.32 5=3a 3=3b
3*2=3b b4=3a =37 =2u =30 =3d =1jgl =1j =1jgn =33 =3e =1f =1jgr =1l =1jgt =gr =1g *2+1jgw =30 *2+1jgz =1i =1l =33 =39
*2+1jh5 =1h =38 *3+1jh9 =3a =37 =2u =30 =3d 1=1j 1=33 =3e =1f 1=1l 1=gr =1g 2=30 2=1i =1l =33 =39 2=1h =38 6=36.32
=19l =3e =3b 2=2r 2=3c 2=3b 2=2r 1x=1jjp.1jjk bx*2+1jvp.1jvz =1jvp.1jvp *2+1jvp.1jvp.1jvz 1=1jvv.1jvz =1jvv.1jvv
=1jvv.1jvv.1jvz 5*2+1jw3.1jvz =1jw3.1jw3 *2+1jw3.1jw3.1jvz 95=1k5d.1k5d 33=1k8a p1=1fa2 3pc=1ggu 93*2= bgd*w+20dc
4o=3a 1=38 f=qc 1=wux 9=wl2 1=30 4=gr 7=36 4=37 =1f 1=i4 1=1q =2p 1=39 =3d d*2=13 41= f5n*4= 41c=3f 1w= 4=2jx3.2jxh
=2jx4.2jxh *5+2jx4.2jxh.2jxq e*8= 1s=2jzt.2jxh =2jzu.2jxh =2jzt.2jxh.2jxq =2jzu.2jxh.2jxq =2jzt.2jxh.2jxr
=2jzu.2jxh.2jxr 1t=zj 3=1f 4=on 1=3a 1=2k 2=1j =2u =1f3w =wl2 =36 =gg 2=33.mt =6kk =hz 4=gr =3b 7=30 =wl2 4=4af 5=1o
=1q *2+6tr =8uf =2k 3=4i3 5=32 ca*8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32
*d+32 *7+2p 1=30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 =2p 1*2+2r 2=2v 2*2+2y
2*4+32 1*8+37 *4+2p 1=2u 1=2w =30 *3+2y =36.32 =32 1*b+34 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32
*2+2p 1*4+2s 2*3+2y =36.32 *4+32 1*7+37 1*8+2p =30 *3+2y =36.32 *d+32 *2+2p 1*4+2s 1=30 *3+2y =36.32 1=33 3*7+37
1*8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32
*8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32
*8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32 *8+2p =30 *3+2y =36.32 *d+32
*8+2p =30 *3+2y =36.32 *d+32 =30 =fr 2*2+2p =36 =qc =2t =3e =2w =33.mt =30 =2z =i4 =36.32 =32 =qm =33 =qo =34 =33.mt
=hv =38 =3d =hk =3c *2+qw =33 =2p =37.37 =3d =qc =gr =3e =32.mh =33.mt =30 =2z =i4 =36.32 =3a =qm =33 =qo =34 *2=33
*2+38 =hk =3c *2+qw =2ojw =gr =33.mt =2z =hk =34 =qo *2+2p =36 =qc =2t =3e =2w =33.mt =30 =2z =i4 =36.32 =32 =qm =33
=qo =34 =33.mt =hv =38 =3d =hk =3c *2+qw =33 =2p =37.37 =3d =qc =gr =3e =32.mh =33.mt =30 =2z =i4 =36.32 =3a =qm =33
=qo =34 *2=33 *2+38 =hk =3c *2+qw =2ojw =gr =33.mt =2z =hk =34 =qo *2+2p =36 =qc =2t =3e =2w =33.mt =30 =2z =i4
=36.32 =32 =qm =33 =qo =34 =33.mt =hv =38 =3d =hk =3c *2+qw =33 =2p =37.37 =3d =qc =gr =3e =32.mh =33.mt =30 =2z =i4
=36.32 =3a =qm =33 =qo =34 *2=33 *2+38 =hk =3c *2+qw =2ojw =gr =33.mt =2z =hk =34 =qo *2+2p =36 =qc =2t =3e =2w
=33.mt =30 =2z =i4 =36.32 =32 =qm =33 =qo =34 =33.mt =hv =38 =3d =hk =3c *2+qw =33 =2p =37.37 =3d =qc =gr =3e =32.mh
=33.mt =30 =2z =i4 =36.32 =3a =qm =33 =qo =34 *2=33 *2+38 =hk =3c *2+qw =2ojw =gr =33.mt =2z =hk =34 =qo *2+2p =36
=qc =2t =3e =2w =33.mt =30 =2z =i4 =36.32 =32 =qm =33 =qo =34 =33.mt =hv =38 =3d =hk =3c *2+qw =33 =2p =37.37 =3d =qc
=gr =3e =32.mh =33.mt =30 =2z =i4 =36.32 =3a =qm =33 =qo =34 *2=33 *2+38 =hk =3c *2+qw =2ojw =gr =33.mt =2z =hk =34
=qo *2=2u 2=33 =30 *8+1e =33 =30 *8+1e =33 =30 *8+1e =33 =30 *8+1e =33 =30 *8+1e 1m8=2p =1i =2q =36 =tw =2t =ty =1f
=on =2z =i4 =36.32 =33 =qo =34 =2r =38 =3d =hk =3c *3+ue =2q.30 =ul =30.33 =ww9 =d9 =30 =2y =33.mt =3d =30 =2p =1i
=2q =36 =tw =2t =ty =1f =on =2z =i4 =33 =qo =2r =3d =hk =3c *3+ue =jt.2q =2q.30 =36.13 =30 =37 =v3 =2r.m9 =jt.2q.30
=3d.mt 1nd=30 1=19f 1=1k 1=2ojw.mt 1e*y+2oma ym=30 =17s =17w =17z 1=18o =182 =17x =187 =18p *4+18j =183 =189 =18h
=185 =18i =181 =183.1cr =17u =18p.1cr =17y =180 =186 =188 =18a *2=18p *2=19r 1=17s =17w 1=33 2=17x 1=18p *4+18j =183
=189 =18h =185 =18i 1=183.1cr =17u =18p.1cr =17y 1=186 1=18a 6=17w 4=17x 1=18p 1=18k 1=18m =183 =189 1=185 =18i
1=183.1cr 2=17y 1=186 1=18a 1=18p 1=19r 1=17s =17w 1=33 2=17x =187 =18p =18j 1*2+18l =183 =189 =18h =185 =18i
1=183.1cr =17u =18p.1cr =17y 1=186 =188 =18a =18p 1=19r 1=30 =17s =17w =17z =33 =18o =182 =17x =187 =18p 1*3+18k =183
=189 =18h =185 =18i =181 =183.1cr =17u =18p.1cr =17y =180 =186 =188 =18a 5=17s =17w =17z 1=18o =182 =17x =187 =18p
1*3+18k =183 =189 =18h =185 =18i =181 =183.1cr =17u =18p.1cr =17y =180 =186 =188 =18a g4=33.1a =33.18 =30.18 =1e.18
=1f.18 =1g.18 =1h.18 =1i.18 =1j.18 =1k.18 =1l.18 2=7ai =6nu =10.6hs =14.2p.15 =14.2q.15 =14.2r.15 =14.2s.15 =14.2t.15
=14.2u.15 =14.2v.15 =14.2w.15 =14.30.15 =14.2y.15 =14.2z.15 =14.30.15 =14.36.32.15 =14.32.15 =14.33.15 =14.34.15
=14.35.15 =14.36.15 =14.37.15 =14.38.15 =14.39.15 =14.3a.15 =14.3b.15 =14.3c.15 =14.3d.15 =14.3e.15 =14.37.15 =2r =36
=2r.2s =3b.3e 1*8+2p =30 *3+2y =36.32 *d+32 =2w.3a =36.32.3a =37.2s =37.37 =34.34.3a =3b.2r *8+2p =30 *3+2y =36.32
*d+32 *2+36.32.2r =36.32.36 =2r.2r.6hp =2r.6hs 1*8+2p =30 *3+2y =36.32 *d+32 6=2s.2y 2d*8+2p =30 *3+2y =36.32 *d+32
=9kr.9jf =9mb.9mb =9md d=jez =i1j =gjw =9mu.9ll =9mz =hlm =r8j =hm1 =fj8 =k68 =mch =k2h =g99 =ivg =g3x =k34 =g7x =oqq
=n4v =rs9 =hkg =gmx =lxw =jh1 =jmd =9oc =fex =si2 =ijq =ffx =gkz =jk7 =rxs =jf7 =o01 =o6y =glk =lts =kcp =kco =n5f
=gaa =gxi =sp9 4=14.kdo.15 =14.fex.15 =14.9mz.15 =14.i2x.15 =14.m9l.15 =14.jf7.15 =14.nh3.15 =14.gd9.15 =14.k0n.15
7=ivr =gkv 5c=7jx 5=73y =7jx rq=35.2t =wux =qc 1=1f3w 2=2p.36 =3a.5wk 1=7jd 9=33.mt j=wwr h=89r h=2r 7=4ik =6u9
6=37.37.37 1=6rz 9=38 2=36.32.2q =3a.2q 4=6u8 vy=33 =30 *8+1e 73i=9jj 1nf=1djk 5=1djj 2a2=1djl 2zc=1dgs 316=1djp
22u=1djq 6pu=1djr nxo=fgd =fg8 =fgh =2tcy =fog =fqm =fqz =fp1 =fwa =fx5 =fzb =fyn =ae6 =2ud6 =g25 =g2c =g2s =g3b
=2u58 =aex =g2v =g3x =2u6j =g47 =g4k =fkc =g4s =g51 =3ly7 =g6t =g77 =afz =g8r =g92 =gaa =gaf =ahh =gcn =gcp =gdg =ge2
*2+ged =gev =gg9 =ggh =ggq =ghf =ghp *3=ghr =2v58 =m7k =gju =gkf =2vdv =gkr =gkx =gli =gpq =gmw =gnc =go8 =gpu =gs6
=gsw =gur =gv7 *2=gw4 =gwp =gx7 =gxf =gxu =h7a =gzq =h7b =h1t =h2s =g7b =hke =hce =hdg =he5 =haj =hf6 =hf5 =hik =2x9g
=hki =hkn =hl2 =hlm =hlu =hnm =2xm0 =2xnu =hrg =hsr =ht3 =hqw =huu =aum =av0 =hzc *2=i0u =2y88 =i4j =i54 =i5j =i5v
=2yhk =i67 =i6e =itv =i76 =ayp =i8w =i9a =ibk =ia5 =2z1g =if7 =2z1i =ige =igb =igs *2+ijl =b3j =ikd =ilk =im5 =ind
=b4y =2zr7 =b5o =ipc =ipf =ipi =iq2 =3pg2 =iri *2=3035 =poh *2=isi =b7r =335k =3cgq =iua =iuj =b8j =ivu =ix9 =ixj
=iyh =j29 =bay =ba4 =j2s =30t0 =j47 =j7s =j7w =j7y =j7w =j96 =j9q =jaq =jac =jan =jby =jci =jcm =jdc =jdn =jfh =jht
=jis =jm8 =31n0 =jlp =jjw =jmw =jnn =jqc =31td =js2 =jph =jop =bhq =ju1 =jum =jvh =juf =bjg =k0f =k18 =32mi =k4j =kc8
=k7d =bo9 =k9d =bns =bms =g42 =g45 =kcg =k9o =pf1 =deh =kd3 =kd7 =kdd =kf2 =ker =33cz =bpl =kje =kg5 =klu =kn9 =33hp
=kni =kkf =kr8 =brx =ksi =kv7 =kx6 =l2g =33xf =l3v =bvc =l5t =34br =l78 =bwu =l82 =l9b *2+la2 =34p9 =2yvf =34sa =le6
=354s =lhb =lhp =lev =ljq =lku =lmf =lkx =lm1 =lmg =lmt =357i =lkk =lrj =lta =c37 =lvv =lvr =35jl =lq1 =m0e =35ni
=35ou =m2u =m61 =m5a =m57 =c5y =m6i =m7x =m7r =m99 =2u5h =mdh =368z =mfw =36i3 =mjs =mk5 =mkw =36yw =mm8 =mmt =3779
=37dg =mt6 =mtn =cdo =mud *2=ce0 =myv =mzg =n01 =n0l =n2i =cgr =n50 =386u =n5q =389e =n74 =2zrz =nbk =38v5 =38vs
=38zo =cn0 =cnc =nhw =394j =394i =395l =396b *2+nj2 =nj3 =nka =cop =nm3 =cp2 =cra =39r1 =nri =nt8 =nv0 =ctf =3a5i
=nyu =3a8q =3a9x =o0f =o2z =cvj =o5c =o5m =o5r =3at8 *2=3b1j =oa6 =d1e =3b8r =og6 =og9 =d2f =3beo =onm =d5s =oo8 =oo3
=oow =3c06 =orn =d8h =ouf =ow2 =oxx =d9w =3ciw =3cjr =dax =3cnt =p6i =3cqm =p79 =pa2 =pad =3d22 =3d43 =pcw =3d7s =pdc
=33a7 =ded =pf6 =phf =dfv =pj2 =hx1 =3dlz =3dmd =33bn =33bw =poh =pok =sda =dij =psh =psb =pst =gc3 =ptd =ptf =ptp
=puu =3ebg =put =pwd =pyb =q0d =pwj =q0t =q1z =q53 =pxv =q16 =q18 =q1o =3eie =3eqz =3emt =dnv =q9d =q9f =qae =3g0a
=qck =3f3g =dp9 =dpd =3f75 =3ff6 =dpn =qj4 =qjg =qjr =qjt =qll =qko =qoe =qn6 =qrd =qp4 =qqz =qrq =dsn =qu9 =qv5 =dtl
=qxs =qxv =3giv =r13 =r1a =dv9 =r22 =aez =3gz2 =3h46 =dz2 =dzb =rds =rfx =rka =rpx =3hrc =rsb =rsx =rvf =rxz =3i9b
=2upw =s0b =rzw =s1c =2uvy =s7o =sag =3jki =3jl9 =sk4 =smp =snl =3ju6 =snv =svs *2+t07 =sxo =t89 =t91 =3ksa =tjf =ej9
=tkn =3l2v =eli =ts3 =iia =tur =3ltx =3lzu =epa =epi =u00 =3mdm =er6 =3mhi *2=u17 =u21 =3mpi =u76 =eur =u95 =ucn =ude
=uf2 =ez2 =3nsg =umq =uv4 =v0d =f66 =f71 =v3b =3owe =f7c =3oxx =3p5a =3p8x =vcr =f9y =veh =vem =vet =vf3 =vfa =vgb
=3pxc fher= u*2o= 3k*6o=
`;

/** Those in a key that stand on the character before them, in no order among themselves. */
export const MARKS = `
lc*5 1*6 1*3 2*3 1*g 3*8 1*4 1 2*6 6 1*7 1*7 2*d 1*7 1 7n*5 7d*b 2*6 1*3 1*4 3*4 1*4 2*3 1 7 20*8 1g*2 3 2*2 8 3b*7
3*5 2 2*2 1 z u*g 3*4 1*3 4h 2*4 a o*4 1*9 1*3 1*5 17*3 1o*8 16*o 1*2 1*2 1 2 2 4*4 3*4 26 3 3f 1c 9a 6m g 7*2 2t g
31*2 g 3g 31*3 d*4 32 2l*2 r 3 1j*2 1 5*4 2 1*3 1*2 1q 34 1*2 2a jz*3 qc*2 u 4d a 5n 3z*3 63*2 1z k*8 2 1c*4 1*2 1*6
1*g 2t f 12*9 1i*2 1m b*2 1v 49 2 1*2 3 3*2 1*7 b 3*2 5i*1s k0*b 1 4 3*c 2da*3 3x 2o*8 1 1 2 1*6 2*8 fe*2 2*2 2x
na2*8 1 w*2 9y 11 47 r*i 1l*3 11 2n c 6n 1*3 2*2 5*2 1 1g 6u fn4 ld*g r1 6a 45*5 1aq 1 14*2 5 4l*2 fx*4 ar*2 28*3
1y*b 1d*4 5c 15 e 1l*2 1x*3 1c*2 1q 24 38*2 4y*2 28*2 g o*7 3*5 5p 3 n 9s*2 3i 3a*2 37 7h*2 76*2 4 4c 2b i 29 bp 76
1*2 29 bt*2 ey5*5 1n*7 xl*2 f58 43q*5 3*6 8*8 2*7 u*4 44*3 2pn*7 1*h 2*7 1*2 1*5 2s 4g*7 af 1p*4 e4*4 rk*7 31*7
`;

/** All that were assigned in that version, private use left out. */
export const ASSIGNED = `
*oo 2*6 4*7 1 1*k 1*b1 1*12 2*1e 2*3 1*1j 8*r 4*6 b*7i 1*1o 2*2t e*1n 2*1d 2*f 1*s 2 1*b 5*v 1*2 6*6k 1*8 2*2 2*m 1*7
1 3*4 2*9 2*2 2*4 8 4*2 1*5 2*p 2*3 1*6 4*2 2*m 1*7 1*2 1*2 1*2 2 1*5 4*2 2*3 3 7*4 1 7*h a*3 1*9 1*3 1*m 1*7 1*2 1*5
2*a 1*3 1*3 2 f*4 2*c 7*7 1*3 1*8 2*2 2*m 1*7 1*2 1*5 2*9 2*2 2*3 7*3 4*2 1*5 2*i a*2 1*6 3*3 1*4 3*2 1 1*2 3*2 3*3
3*c 4*5 3*3 1*4 2 6 e*l 5*d 1*3 1*n 1*g 2*9 1*3 1*4 7*2 1*3 2 2*4 2*a 7*m 1*3 1*n 1*a 1*5 2*9 1*3 1*4 7*2 6*2 1*4 2*a
1*3 c*d 1*3 1*1f 1*3 1*6 4*g 2*q 1*3 1*i 3*o 1*9 1 2*7 3 4*6 1 1*8 6*a 2*3 c*1m 4*t 11*2 1 1*5 1*o 1 1*n 2*5 1 1*7
1*a 2*4 w*20 1*10 4*13 1*10 1*f 1*d 11*5i 1 5 2*ah 1*4 2*7 1 1*4 2*15 1*4 2*x 1*4 2*7 1 1*4 2*f 1*1l 1*4 2*1v 2*w 3*q
6*2e 2*6 2*il 3*2h 7*m 9*o 9*k c*d 1*3 1*2 c*2m 2*a 6*a 6*q 6*2h 7*17 5*1y a*v 1*c 4*c 4 3*16 2*5 b*18 4*q 6*b 3*1q
2*1t 1*t 2*b 6*a 6*e 2*v 1d*25 3*1b 1*38 8*1o 3*f 3*1o 7*17 2*b 8*17 5*eu 2*6 2*12 2*6 2*8 1 1 1 1*v 2*1h 1*f 1*e 2*6
1*j 2*3 1*9 1*2t 1*c 2*r 1*d 3*x f*x f*3w 4*if p*b l*1ec 2*w 1*9p 5*19 1 5 2*1k 7*2 e*o 9*7 1*7 1*7 1*7 1*7 1*7 1*7
1*7 1*3i y*q 1*2h c*5y q*c 4*1s 1*2e 2*2v 5*17 1*2m 1*2c c*1b 1*mlp 3*1j 9*9o k*54 8*5n 5*2 1 1*5 o*1n 3*a 6*1k 8*1y
8*c 6*38 b*u 3*26 1*b 4*x 1*1j 9*e 2*a 2*2v o*s a*6 2*6 2*6 9*7 1*7 1*1o 4*3i 2*a 6*8mc c*n 4*1d 6is*a6 2*2y 12*7 c*5
5*q 1*5 1 1*2 1*2 1*3h g*cd 2*1i 7 w*16 6*1f 1*j 1*4 4*5 1*3r 2 1*5a 3*6 2*6 2*6 2*3 3*7 1*7 a*5 2*c 1*q 1*j 1*2 1*f
2*e y*3f 5*3 4*19 3*2g 1*d 3 1b*1a 3m*t 3*1d f*s 4*10 9*u 5*17 5*u 1*11 4*e 16*4e 2*a 6*10 4*10 4*14 8*1g b*c 1*f 1*7
1*2 1*b 1*f 1*7 1*2 1v*8n 9*m a*8 o*6 1*16 1*9 1x*6 2 1*18 1*2 3 2*n 1*20 8*9 1c*j 1*2 5*x 3*r 5 1s*1k 4*k 2*1e 1*2
5*8 1*3 1*t 2*3 4*a 7*9 7*1s w*13 4*c 9*1i 3*t 2*r 5*q 7*4 c*7 28*21 1j*1f d*1f 7*1a 8*a 86*v 1*16 1*3 2*2 23*17 8*16
m*q 12*s k*n 9*26 4*10 9*1w a 2*p 7*a 6*1h 1*i 8*13 9*2o 1*k b*i 1*1b 1q*7 1 1*4 1*f 1*b 6*1n 5*a 6*4 1*8 2*2 2*m 1*7
1*2 1*5 1*a 2*2 2*3 2 6 5*7 2*7 3*5 3v*2k 1*5 u*20 8*a 4m*1i 2*12 y*1x b*a 6*d j*1m 6*a 1i*r 2*f 4*n 55*1o 2s*2b c*8
2 2*8 1*2 1*u 1*2 2*c 9*a 1y*8 2*1a 2*b r*20 8*2b d*21 7*a 6u*9 1*19 1*e a*t 3*w 2*m 1*e 21*7 1*2 1*18 3 1*2 1*9 8*a
6*6 1*2 1*11 1*2 1*6 7*a 8m*p 7*h 1*15 3*s 2e f*1e d*pn 2u*33 1*5 b*5g 218*2r d*uu 33e*g7 6nt*ft 7*v 1*a 4*29 1*a 6*u
2*6 a*1y a*a 1*7 1*l 5*j j4*2j 2t*23 4*1l 7*h 1s*5 b*2 e*4qg 8*ye 16*9 6w7*4 1*7 1*2 1*83 f t*3 2 e*4 8*b0 1s4*2z 5*d
3*9 7*a 2*8 3mk*1a 2*n 9*38 1o*6u a*13 2*5e l*1y 3e*k c*k c*2f 9*p 3r*2d 1*1z 1*2 2 2*2 2*4 1*c 1 1*7 1*1t 1*4 2*8
1*7 1*s 1*4 1*5 1 3*7 1*9g 2*84 2*ji f*5 1*f uo*v 6*6 5x*7 1*h 2*7 1*2 1*5 5*1q x 34*19 3*e 2*a 4*2 8w*v h*1m 5 cw*16
km*7 1*4 1*2 1*f 1*5h 2*g 15*24 4*a 4*2 lt*1w 24*1p 5e*4 1*r 1*2 1 2 1*a 1*4 1 1 6 4 1 1 1*3 1*2 1 2 1 1 1 1 1*2 1
2*4 1*7 1*4 1*4 1 1*a 1*h 5*3 1*5 1*h 1g*2 7i*18 4*2s c*f 2*f 1*f 1*11 a*4u 1k*t d*18 4*9 7*2 e*6 4a*rc 4*h 3*d 3*3b
4*2n 6*c 4 f*c 4*1k 8*a 6*14 8*u 2*2 26*9g c*e 2*d 3*9 7*1a 1*7 8*e 4*9 7*9 7*43 1*1j 11*a sm*wyo w*37e 6*66 2*4g2
e*5rl 2e7*f2 15u*3t7 5*38g f975 u*2o 3k*6o
`;
