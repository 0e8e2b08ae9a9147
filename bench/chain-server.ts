// A server for bench/audit-chain.ts: what `serve` composes, with the chain of the audit log or without.
import { closeInstallation } from '../src/accounts/installation.ts';
import { createApp } from '../src/app.ts';
import { keepChain } from '../src/cli/keep-chain.ts';
import { openAll } from '../src/cli/open.ts';
import { keepHouse, listen, stopListening, untilSignalled } from '../src/cli/serve.ts';
import { readConfig } from '../src/config.ts';
import { openLog } from '../src/log.ts';

const config = readConfig();
const now = (): number => Date.now();
const installation = await openAll(config, now, openLog(config.logLevel, now));
const { publicUrl, trustedProxies } = config;
const signalled = untilSignalled();
const server = await listen(createApp({ installation, publicUrl, trustedProxies }), config);
const stopSweeping = keepHouse(installation);
const stopChaining = process.argv[2] === 'with' ? keepChain(installation) : undefined;
await signalled;
await stopListening(server);
await stopSweeping();
await stopChaining?.();
await closeInstallation(installation);
