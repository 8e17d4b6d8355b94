import { expiry, rotation } from './certificates.ts';
import type { Check } from './check.ts';
import { deployments, installed, leader, settings, versions } from './control-plane.ts';
import { foreignDefinitions, istioDefinitions, ownDefinitions } from './definitions.ts';
import { apiVersion, clocks } from './kubernetes.ts';
import { istioBeside, optedIn, podSecurity, trust } from './namespaces.ts';
import { readySidecars, sidecars, sidecarVersions } from './pods.ts';
import { conditions } from './policies.ts';
import { sync } from './proxies.ts';
import { absent, grantingRights, installRights } from './rights.ts';
import { certificate, configurations, injection } from './webhook.ts';

/** Of an installation, in the order in which they are shown. */
export const CHECKS: readonly Check[] = [
  ...[apiVersion, installed, clocks],
  ...[ownDefinitions, istioDefinitions],
  ...[...deployments, leader, versions, settings],
  ...[configurations, certificate, injection],
  ...[expiry, rotation],
  ...[optedIn, istioBeside, trust, podSecurity],
  ...[sidecars, readySidecars, sidecarVersions],
  conditions,
  sync,
];

/** Before an installation. */
export const PRE_CHECKS: readonly Check[] = [
  apiVersion,
  clocks,
  installRights,
  grantingRights,
  absent,
  foreignDefinitions,
  istioBeside,
];
