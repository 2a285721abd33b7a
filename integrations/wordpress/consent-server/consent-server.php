<?php
/**
 * Plugin Name: Consent Server
 * Description: The banner of your own consent server: its tag first in the head, out of reach of optimisers, and the WP Consent API in both directions.
 * Version: 0.2.0
 * Requires at least: 5.7
 * Requires PHP: 7.4
 * License: Apache-2.0
 * License URI: https://www.apache.org/licenses/LICENSE-2.0
 * Text Domain: consent-server
 */

defined( 'ABSPATH' ) || exit;

const CONSENT_SERVER_OPTION  = 'consent_server';
const CONSENT_SERVER_VERSION = '0.2.0';

require __DIR__ . '/includes/settings.php';
require __DIR__ . '/includes/tag.php';
require __DIR__ . '/includes/optimisers.php';
require __DIR__ . '/includes/consent-api.php';

add_filter( 'wp_consent_api_registered_' . plugin_basename( __FILE__ ), '__return_true' );
