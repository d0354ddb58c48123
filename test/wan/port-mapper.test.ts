import { portMapperContract } from '../nat/port-mapper-contract.ts';
import type { Igd } from './gateway-daemon.ts';
import { mapperStage } from './mappers.ts';
import { describeLong, stageFor } from './stage.ts';

const GATEWAYS: readonly (readonly [what: string, igd: Igd])[] = [
  ['UPnP IGD 2', 'upnp'],
  ['UPnP IGD 1', 'igd1'],
  ['NAT-PMP', 'natpmp'],
  ['PCP', 'natpmp+pcp'],
];

for (const [what, igd] of GATEWAYS)
  describeLong(`a port mapper at a real gateway that speaks ${what}`, function () {
    this.timeout(120_000);
    const stage = stageFor({ homes: [{ hosts: 2, igd, lifetimes: [1, 120] }], publicHosts: 0 });
    portMapperContract(async () => mapperStage(stage.lab), { without: ['exhausted'] });
  });
