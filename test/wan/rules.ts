/** What a router does with packets, as rules of nftables. Its devices are `wan` and `lan`. */

/**
 * How a router rewrites addresses. `cone` keeps the port and lets in answers of those only that were
 * asked, `fullcone` those of anybody; `symmetric` takes another port for each destination.
 */
export type Nat = 'cone' | 'symmetric' | 'fullcone';

/** What becomes of packets that nobody has asked for: nothing, or a refusal. */
export type Firewall = 'drop' | 'reject';

/** The chains that belong to the daemon; they are in the table `inet lab`. */
export const CHAINS = { forward: 'mapped', in: 'mapped_in', out: 'mapped_out' } as const;

const fullCone = {
  map: `map cone {
    type inet_proto . inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout 1h; }`,
  note: `oifname "wan" meta nfproto ipv4 meta l4proto { tcp, udp }
    update @cone { meta l4proto . th sport : ip saddr . th sport }`,
  admit: `iifname "wan" meta nfproto ipv4 meta l4proto { tcp, udp }
    dnat ip to meta l4proto . th dport map @cone`,
};

/** All that there is in the table is forgotten, mappings included. */
export function routerRules(nat: Nat, firewall: Firewall): string {
  const cone = nat === 'fullcone' ? fullCone : { map: '', note: '', admit: '' };
  const unwanted =
    firewall === 'drop'
      ? 'drop'
      : `meta l4proto tcp reject with tcp reset
         reject with icmpx type port-unreachable`;
  return `
add table inet lab; delete table inet lab
table inet lab {
  ${cone.map}
  chain ${CHAINS.forward} { }
  chain ${CHAINS.in} { }
  chain ${CHAINS.out} { }
  chain input {
    type filter hook input priority 0;
    iifname != "wan" accept
    ct state established,related accept
    icmp type echo-request accept
    meta l4proto ipv6-icmp accept
    ${unwanted}
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    ${nat === 'fullcone' ? 'ct status dnat accept' : ''}
    jump ${CHAINS.forward}
    ${unwanted}
  }
  chain prerouting {
    type nat hook prerouting priority -100;
    jump ${CHAINS.in}
    ${cone.admit}
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    jump ${CHAINS.out}
    ${cone.note}
    oifname "wan" meta nfproto ipv4 masquerade ${nat === 'symmetric' ? 'fully-random' : ''}
  }
}`;
}

const PORT_CONTROL = 5_351;

/**
 * The daemon speaks NAT-PMP (version 0 of datagrams) and PCP (version 2) or none of them. Without
 * NAT-PMP its datagrams are lost. Without PCP they become requests that do not exist, and the daemon's
 * answer to these the one that RFC 6886 has for another version.
 */
export function portControlRules(protocol: 'nat-pmp' | 'pcp' | 'both'): string {
  const table = 'add table inet port_control; delete table inet port_control';
  if (protocol === 'both') return table;
  if (protocol === 'pcp')
    return `${table}
table inet port_control {
  chain input {
    type filter hook input priority -10;
    iifname "lan" udp dport ${PORT_CONTROL} @th,64,8 0 drop
  }
}`;
  // A checksum of 0 is none. That of the answer is computed after this.
  return `${table}
table inet port_control {
  chain input {
    type filter hook input priority -10;
    iifname "lan" udp dport ${PORT_CONTROL} @th,64,8 2 @th,64,16 set 0x007f udp checksum set 0
  }
  chain output {
    type filter hook output priority -10;
    oifname "lan" udp sport ${PORT_CONTROL} @th,64,16 0x00ff @th,64,16 set 0x0081 @th,80,16 set 1
  }
}`;
}

/** Loses every UDP datagram that goes to the router or through it. */
export const udpRules = (isDropped: boolean): string => `
add table inet captive; delete table inet captive
${
  isDropped
    ? `table inet captive {
  chain prerouting { type filter hook prerouting priority -300; meta l4proto udp drop; }
}`
    : ''
}`;

/** A port of a router that leads to one of a host behind it. */
export interface RouterMapping {
  readonly transport: 'tcp' | 'udp';
  readonly externalPort: number;
  readonly internal: { readonly ip: string; readonly port: number };
}

/** `nft -n list chain` of the daemon's chain, read. */
export function parseMappings(listing: string): RouterMapping[] {
  const rule = /@nh,72,8 (0x[0-9a-f]+) th dport (\d+) dnat ip to (\d+\.\d+\.\d+\.\d+):(\d+)/g;
  return [...listing.matchAll(rule)].map(([, protocol, external, ip, port]) => ({
    transport: Number(protocol) === 6 ? 'tcp' : 'udp',
    externalPort: Number(external),
    internal: { ip: ip!, port: Number(port) },
  }));
}
