// Plays Tag Manager's sandbox for one template: the interfaces that it may ask for, held to its permissions, and the
// language of its tests. Reads {code, permissions, setup, scenarios} and says for each scenario what was wrong.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import vm from "node:vm";

const { code, permissions, setup, scenarios } = JSON.parse(readFileSync(0, "utf8"));

const globbed = (pattern) =>
  new RegExp(`^${pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);

const PERMITTED = {
  access_consent: (action, type) => permissions.access_consent?.some((row) => row.consentType === type && row[action]),
  inject_script: (url) => permissions.inject_script?.some((pattern) => globbed(pattern).test(url)),
  write_data_layer: (key) => permissions.write_data_layer?.some((pattern) => globbed(pattern).test(key)),
  logging: () => permissions.logging !== undefined,
};
const permit = (name, ...details) => {
  if (!PERMITTED[name]?.(...details)) throw Error(`no permission: ${name} ${details.join(" ")}`);
};

// What each interface checks before it does anything, as its documentation says.
const CHECKS = {
  gtagSet: (values) => Object.keys(values).forEach((key) => permit("write_data_layer", key)),
  injectScript: (url) => permit("inject_script", url),
  logToConsole: () => permit("logging"),
  makeNumber: () => {},
  queryPermission: () => {},
  setDefaultConsentState: (state) =>
    Object.keys(state).filter((key) => !["region", "wait_for_update"].includes(key))
      .forEach((type) => permit("access_consent", "write", type)),
};
const REAL = {
  makeNumber: (value) => Number(value),
  queryPermission: (name, ...details) => !!PERMITTED[name]?.(...details),
};

// Values of another context: compared as what they say.
const plain = (value) => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

function play({ code: scenario }) {
  const mocks = {};
  const calls = {};
  const record = (name, check = () => {}) => (...given) => {
    (calls[name] ??= []).push(given);
    check(...given);
    const mocked = name in mocks ? mocks[name] : REAL[name];
    return typeof mocked === "function" ? mocked(...given) : mocked;
  };
  const require = (name) => {
    assert.ok(CHECKS[name], `Tag Manager has no ${name}, or it is not played here`);
    return record(name, CHECKS[name]);
  };
  const runCode = (given) => {
    const data = { ...given, gtmOnSuccess: record("gtmOnSuccess"), gtmOnFailure: record("gtmOnFailure") };
    vm.runInNewContext(`"use strict"; (() => {${code}\n})()`, { require, data });
  };
  const assertThat = (value) => ({
    isEqualTo: (expected) => assert.deepEqual(plain(value), plain(expected)),
    isUndefined: () => assert.equal(value, undefined),
  });
  const assertApi = (name) => {
    assert.ok(CHECKS[name] || name.startsWith("gtmOn"), `nothing is called ${name}`);
    const made = calls[name] ?? [];
    return {
      wasCalled: () => assert.ok(made.length, `${name} was not called`),
      wasNotCalled: () => assert.equal(made.length, 0, `${name} was called`),
      wasCalledWith: (...expected) =>
        assert.ok(made.some((given) => {
          try {
            assert.deepEqual(plain(given), plain(expected));
            return true;
          } catch {
            return false;
          }
        }), `${name} was called with ${JSON.stringify(made)}`),
    };
  };
  const mock = (name, value) => {
    assert.ok(CHECKS[name], `nothing is called ${name}`);
    mocks[name] = value;
  };
  vm.runInNewContext(`"use strict"; (() => {${setup}\n${scenario}\n})()`, { runCode, assertThat, assertApi, mock });
}

const faults = scenarios.map((scenario) => {
  try {
    play(scenario);
    return null;
  } catch (fault) {
    return fault.message;
  }
});
console.log(JSON.stringify(faults));
