___TERMS_OF_SERVICE___

By creating or modifying this file you agree to Google Tag Manager's Community
Template Gallery Developer Terms of Service available at
https://developers.google.com/tag-manager/gallery-tos (or such other URL as
Google may provide), as modified from time to time.


___INFO___

{
  "type": "TAG",
  "id": "cvt_temp_public_id",
  "version": 1,
  "securityGroups": [],
  "displayName": "Consent Server",
  "categories": [
    "TAG_MANAGEMENT",
    "UTILITY"
  ],
  "brand": {
    "id": "brand_dummy",
    "displayName": "Consent Server"
  },
  "description": "Denies by default by Consent Mode, region by region where you say so, and loads the banner of your own consent server. Fire it on Consent Initialization.",
  "containerContexts": [
    "WEB"
  ]
}


___TEMPLATE_PARAMETERS___

[
  {
    "type": "TEXT",
    "name": "server",
    "displayName": "Server address",
    "simpleValueType": true,
    "valueHint": "https://shop.example/_consent",
    "help": "The part of the tag before /widget/, without a slash at its end.",
    "valueValidators": [
      {
        "type": "NON_EMPTY"
      },
      {
        "type": "REGEX",
        "args": [
          "https://[^?#]*[^?#/]"
        ],
        "errorMessage": "It begins with https:// and has no slash at its end."
      }
    ]
  },
  {
    "type": "TEXT",
    "name": "site",
    "displayName": "Site key",
    "simpleValueType": true,
    "valueHint": "shop",
    "valueValidators": [
      {
        "type": "NON_EMPTY"
      },
      {
        "type": "REGEX",
        "args": [
          "[a-z][a-z0-9-]*"
        ],
        "errorMessage": "Small letters, digits and hyphens, as in the site file."
      }
    ]
  },
  {
    "type": "GROUP",
    "name": "consentMode",
    "displayName": "Consent Mode before a choice",
    "groupStyle": "ZIPPY_OPEN",
    "subParams": [
      {
        "type": "SIMPLE_TABLE",
        "name": "defaults",
        "displayName": "Where something else is the default than denied",
        "simpleTableColumns": [
          {
            "defaultValue": "",
            "displayName": "Regions (such as US-CA, CA; none: everywhere)",
            "name": "region",
            "type": "TEXT"
          },
          {
            "defaultValue": "denied",
            "displayName": "ad_storage",
            "name": "ad_storage",
            "type": "SELECT",
            "selectItems": [
              {
                "value": "denied",
                "displayValue": "denied"
              },
              {
                "value": "granted",
                "displayValue": "granted"
              }
            ]
          },
          {
            "defaultValue": "denied",
            "displayName": "ad_user_data",
            "name": "ad_user_data",
            "type": "SELECT",
            "selectItems": [
              {
                "value": "denied",
                "displayValue": "denied"
              },
              {
                "value": "granted",
                "displayValue": "granted"
              }
            ]
          },
          {
            "defaultValue": "denied",
            "displayName": "ad_personalization",
            "name": "ad_personalization",
            "type": "SELECT",
            "selectItems": [
              {
                "value": "denied",
                "displayValue": "denied"
              },
              {
                "value": "granted",
                "displayValue": "granted"
              }
            ]
          },
          {
            "defaultValue": "denied",
            "displayName": "analytics_storage",
            "name": "analytics_storage",
            "type": "SELECT",
            "selectItems": [
              {
                "value": "denied",
                "displayValue": "denied"
              },
              {
                "value": "granted",
                "displayValue": "granted"
              }
            ]
          },
          {
            "defaultValue": "denied",
            "displayName": "functionality_storage",
            "name": "functionality_storage",
            "type": "SELECT",
            "selectItems": [
              {
                "value": "denied",
                "displayValue": "denied"
              },
              {
                "value": "granted",
                "displayValue": "granted"
              }
            ]
          },
          {
            "defaultValue": "denied",
            "displayName": "personalization_storage",
            "name": "personalization_storage",
            "type": "SELECT",
            "selectItems": [
              {
                "value": "denied",
                "displayValue": "denied"
              },
              {
                "value": "granted",
                "displayValue": "granted"
              }
            ]
          }
        ],
        "newRowButtonText": "Add regions",
        "help": "Without a row for everywhere, everything is denied there. Regions are codes of ISO 3166-2; the most specific one holds. EU is none: name the countries."
      },
      {
        "type": "TEXT",
        "name": "waitForUpdate",
        "displayName": "Milliseconds that tags wait for the banner",
        "simpleValueType": true,
        "defaultValue": 500,
        "valueValidators": [
          {
            "type": "NON_NEGATIVE_NUMBER"
          }
        ]
      },
      {
        "type": "CHECKBOX",
        "name": "adsDataRedaction",
        "checkboxText": "Redact ads data while ad_storage is denied (ads_data_redaction)",
        "simpleValueType": true,
        "defaultValue": true
      },
      {
        "type": "CHECKBOX",
        "name": "urlPassthrough",
        "checkboxText": "Pass ad clicks on in addresses while cookies are denied (url_passthrough)",
        "simpleValueType": true,
        "defaultValue": false
      }
    ]
  }
]


___SANDBOXED_JS_FOR_WEB_TEMPLATE___

const gtagSet = require('gtagSet');
const injectScript = require('injectScript');
const logToConsole = require('logToConsole');
const makeNumber = require('makeNumber');
const queryPermission = require('queryPermission');
const setDefaultConsentState = require('setDefaultConsentState');

const TYPES = [
  'ad_storage', 'ad_user_data', 'ad_personalization', 'analytics_storage',
  'functionality_storage', 'personalization_storage'
];
const script = data.server + '/widget/' + data.site + '.js';

const regionsOf = (row) => (row.region || '').split(',').map((code) => code.trim()).filter((code) => code);

// What no row grants is denied: Tag Manager takes a type without a default for granted.
const setDefault = (row) => {
  const state = {security_storage: 'granted', wait_for_update: makeNumber(data.waitForUpdate) || 0};
  TYPES.forEach((type) => {
    state[type] = row[type] === 'granted' ? 'granted' : 'denied';
  });
  const regions = regionsOf(row);
  if (regions.length) state.region = regions;
  setDefaultConsentState(state);
};

const rows = data.defaults || [];
const everywhere = rows.filter((row) => !regionsOf(row).length);
setDefault(everywhere.length ? everywhere[everywhere.length - 1] : {});
rows.filter((row) => regionsOf(row).length).forEach(setDefault);
gtagSet({ads_data_redaction: !!data.adsDataRedaction, url_passthrough: !!data.urlPassthrough});

// The widget says the update itself, and tells triggers by consent_ready and consent_change.
if (queryPermission('inject_script', script)) {
  injectScript(script, data.gtmOnSuccess, () => {
    logToConsole('Consent Server: the banner did not load from', script, '- everything stays denied.');
    data.gtmOnFailure();
  }, script);
} else {
  logToConsole('Consent Server: the template may not load', script, '- see its permission to inject scripts.');
  data.gtmOnFailure();
}


___WEB_PERMISSIONS___

[
  {
    "instance": {
      "key": {
        "publicId": "access_consent",
        "versionId": "1"
      },
      "param": [
        {
          "key": "consentTypes",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "ad_storage"
                  },
                  {
                    "type": 8,
                    "boolean": false
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "ad_user_data"
                  },
                  {
                    "type": 8,
                    "boolean": false
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "ad_personalization"
                  },
                  {
                    "type": 8,
                    "boolean": false
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "analytics_storage"
                  },
                  {
                    "type": 8,
                    "boolean": false
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "functionality_storage"
                  },
                  {
                    "type": 8,
                    "boolean": false
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "personalization_storage"
                  },
                  {
                    "type": 8,
                    "boolean": false
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "security_storage"
                  },
                  {
                    "type": 8,
                    "boolean": false
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  },
  {
    "instance": {
      "key": {
        "publicId": "inject_script",
        "versionId": "1"
      },
      "param": [
        {
          "key": "urls",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 1,
                "string": "https://*/*"
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  },
  {
    "instance": {
      "key": {
        "publicId": "write_data_layer",
        "versionId": "1"
      },
      "param": [
        {
          "key": "keyPatterns",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 1,
                "string": "ads_data_redaction"
              },
              {
                "type": 1,
                "string": "url_passthrough"
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  },
  {
    "instance": {
      "key": {
        "publicId": "logging",
        "versionId": "1"
      },
      "param": [
        {
          "key": "environments",
          "value": {
            "type": 1,
            "string": "debug"
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  }
]


___TESTS___

scenarios:
- name: Without rows everything but security is denied everywhere
  code: |-
    runCode(mockData);
    assertApi('setDefaultConsentState').wasCalledWith(denied);
    assertThat(states.length).isEqualTo(1);
    assertApi('gtmOnSuccess').wasCalled();
    assertApi('gtmOnFailure').wasNotCalled();
- name: A row of regions is a default of its own beside the one for everywhere
  code: |-
    mockData.defaults = [{region: 'US, CA-BC ,', analytics_storage: 'granted', ad_storage: 'denied'}];
    runCode(mockData);
    assertThat(states.length).isEqualTo(2);
    assertThat(states[0]).isEqualTo(denied);
    assertThat(states[1].region).isEqualTo(['US', 'CA-BC']);
    assertThat(states[1].analytics_storage).isEqualTo('granted');
    assertThat(states[1].ad_storage).isEqualTo('denied');
    assertThat(states[1].ad_user_data).isEqualTo('denied');
- name: A row without regions holds everywhere
  code: |-
    mockData.defaults = [{region: ' ', functionality_storage: 'granted'}];
    runCode(mockData);
    assertThat(states.length).isEqualTo(1);
    assertThat(states[0].functionality_storage).isEqualTo('granted');
    assertThat(states[0].region).isUndefined();
- name: Only the word granted grants
  code: |-
    mockData.defaults = [{ad_storage: true, ad_user_data: 'yes', analytics_storage: ''}];
    runCode(mockData);
    assertApi('setDefaultConsentState').wasCalledWith(denied);
- name: Redaction and passthrough are set as the fields say
  code: |-
    mockData.adsDataRedaction = true;
    runCode(mockData);
    assertApi('gtagSet').wasCalledWith({ads_data_redaction: true, url_passthrough: false});
    mockData.adsDataRedaction = false;
    mockData.urlPassthrough = true;
    runCode(mockData);
    assertApi('gtagSet').wasCalledWith({ads_data_redaction: false, url_passthrough: true});
- name: The defaults come before the banner
  code: |-
    mock('injectScript', (url, onSuccess) => {
      assertThat(states.length).isEqualTo(1);
      onSuccess();
    });
    runCode(mockData);
    assertApi('injectScript').wasCalled();
- name: The banner is loaded from the server of the fields, once
  code: |-
    mock('injectScript', (url, onSuccess, onFailure, cacheToken) => {
      assertThat(url).isEqualTo('https://shop.example/_consent/widget/shop.js');
      assertThat(cacheToken).isEqualTo(url);
      onSuccess();
    });
    runCode(mockData);
    assertApi('gtmOnSuccess').wasCalled();
- name: A banner that does not load fails the tag, and everything stays denied
  code: |-
    mock('injectScript', (url, onSuccess, onFailure) => onFailure());
    runCode(mockData);
    assertApi('setDefaultConsentState').wasCalledWith(denied);
    assertApi('gtmOnFailure').wasCalled();
    assertApi('gtmOnSuccess').wasNotCalled();
    assertApi('logToConsole').wasCalled();
- name: Without the permission nothing is loaded
  code: |-
    mock('queryPermission', false);
    runCode(mockData);
    assertApi('injectScript').wasNotCalled();
    assertApi('gtmOnFailure').wasCalled();
- name: Tags wait as long as the field says
  code: |-
    mockData.waitForUpdate = '1500';
    runCode(mockData);
    assertThat(states[0].wait_for_update).isEqualTo(1500);
setup: |-
  const mockData = {
    server: 'https://shop.example/_consent',
    site: 'shop',
    waitForUpdate: 500
  };
  const denied = {
    security_storage: 'granted',
    wait_for_update: 500,
    ad_storage: 'denied',
    ad_user_data: 'denied',
    ad_personalization: 'denied',
    analytics_storage: 'denied',
    functionality_storage: 'denied',
    personalization_storage: 'denied'
  };
  const states = [];
  mock('setDefaultConsentState', (state) => states.push(state));
  mock('injectScript', (url, onSuccess) => onSuccess());


___NOTES___

Checked outside Tag Manager by tests/integrations/test_tag_manager.py of the consent server.
