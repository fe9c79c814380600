import type { Rule } from "./rule.ts";
import { noFileCycles, noPackageCycles } from "./rules/cycles.ts";
import { decisionsListed, dependenciesRecorded, linksResolve, pathsResolve } from "./rules/documents.ts";
import {
  clientRules,
  environmentInConfig,
  libsBelowServices,
  packagesByName,
  servicesApart,
  servicesMeetAtTheTop,
} from "./rules/layers.ts";
import { lockComplete } from "./rules/lock-file.ts";
import { declaredUsed, exactVersions, importsDeclared, oneEntry } from "./rules/packages.ts";
import { pureDomain, pureImports, pureNames } from "./rules/purity.ts";
import { erasableSyntax, kebabCase, nothingLeftOver, shortMain, smallFiles, tellingNames } from "./rules/shape.ts";

/** Every rule about the shape of this repository. Each has at least one seeded violation in seeds.ts. */
export const RULES: readonly Rule[] = [
  pureImports,
  pureNames,
  pureDomain,
  libsBelowServices,
  servicesApart,
  servicesMeetAtTheTop,
  packagesByName,
  ...clientRules,
  environmentInConfig,
  noFileCycles,
  noPackageCycles,
  importsDeclared,
  declaredUsed,
  exactVersions,
  oneEntry,
  lockComplete,
  dependenciesRecorded,
  decisionsListed,
  linksResolve,
  pathsResolve,
  smallFiles,
  shortMain,
  tellingNames,
  kebabCase,
  erasableSyntax,
  nothingLeftOver,
];
