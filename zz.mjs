import { connect, get, put, task } from 'sheaf';
import { readdirSync, openSync, closeSync, statSync, readSync, writeFileSync } from 'node:fs';
import koffi from 'koffi';
const fadvise = koffi.load('libc.so.6').func('int posix_fadvise(int fd, int64_t at, int64_t length, int advice)');
const forget1=(p)=>{const fd=openSync(p,'r');fadvise(fd,0,0,4);closeSync(fd);};
const forget=()=>{ for (const n of readdirSync('/tmp/zzp',{recursive:true})) { const p='/tmp/zzp/'+n; if(statSync(p).isFile())forget1(p); } };
const length = task((x) => x.length);
const N=64;
const s = await connect({ cpus: 2, memory: N*(4<<20), spill:'/tmp/zzp' });
const v=new Uint8Array(16<<20).map((_, i) => (i * 2654435761) >>> 24);
await length(v).value; await new Promise(r=>setTimeout(r,200));
const refs=[]; for(let i=0;i<N;i++) refs.push(put(v));
const look=async(rs,k)=>{ for(let a=0;a<rs.length;a+=k) await get(rs.slice(a,a+k).map(r=>length(r))); };
await look(refs,4);
for (const [k,cold] of [[1,1],[4,1],[1,0],[4,0],[8,1],[4,1]]) {
if(cold) forget();
const n=Math.floor(s.stats().memory.spilled/(16<<20));
const t=performance.now();
await look(refs.slice(0,n),k);
console.log('read', k, cold?'cold':'warm', (n*(16<<20)/1e6/(performance.now()-t)).toFixed(2));
}
await s[Symbol.asyncDispose]();
