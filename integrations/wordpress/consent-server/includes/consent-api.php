<?php
/**
 * The WP Consent API, in both directions: what a visitor chose is what other plug-ins are answered, and what a plug-in
 * asks for in the page becomes a decision of the visitor's. In PHP the cookie of the choice answers, so that the first
 * page after a choice knows it too.
 */

defined( 'ABSPATH' ) || exit;

// Without a type the API answers yes to everything.
add_filter(
	'wp_get_consent_type',
	function ( $type ) {
		return consent_server_script() ? 'optin' : $type;
	}
);

add_action(
	'wp_enqueue_scripts',
	function () {
		// No API: nothing to bridge, and WordPress leaves out what depends on a script that is not there.
		if ( ! consent_server_script() || ! function_exists( 'wp_has_consent' ) ) {
			return;
		}
		$address = plugins_url( 'bridge.js', __DIR__ );
		wp_enqueue_script( 'consent-server-bridge', $address, array( 'wp-consent-api' ), CONSENT_SERVER_VERSION, true );
		$purposes = (object) consent_server_purposes( consent_server_settings()['purposes'] );
		wp_localize_script( 'consent-server-bridge', 'consentServerBridge', array( 'purposes' => wp_json_encode( $purposes ) ) );
	},
	PHP_INT_MAX
);

add_filter(
	'wp_has_consent',
	function ( $has_consent, $category ) {
		return consent_server_script() ? consent_server_allows( (string) $category ) : $has_consent;
	},
	10,
	2
);

/** Whether the choice in the request's cookie grants all purposes of a category that the notice has. */
function consent_server_allows( string $category ): bool {
	if ( 'functional' === $category ) {
		return true;
	}
	$purposes = consent_server_purposes( consent_server_settings()['purposes'] )[ $category ] ?? array();
	$answers  = array_intersect_key( consent_server_grants(), array_flip( $purposes ) );
	return $answers && ! in_array( false, $answers, true );
}

/** Purpose to whether it is granted; empty without a choice. A purpose that stands twice is denied. */
function consent_server_grants(): array {
	$cookie = isset( $_COOKIE['eu-consent'] ) ? wp_unslash( $_COOKIE['eu-consent'] ) : '';
	$fields = explode( '&', is_string( $cookie ) ? $cookie : '' );
	$grants = array();
	if ( array( 'v=1' ) !== array_values( preg_grep( '/^v=/', $fields ) ) || ! consent_server_in_force( $fields ) ) {
		return array();
	}
	foreach ( preg_grep( '/^p\./', $fields ) as $field ) {
		list( $purpose, $answer ) = explode( '=', substr( $field, 2 ), 2 ) + array( '', '' );
		$grants[ $purpose ]       = '1' === $answer && ! isset( $grants[ $purpose ] );
	}
	return $grants;
}

/** Whether the choice was made at a time that can be, and not longer ago than any choice stands. */
function consent_server_in_force( array $fields ): bool {
	$times = array_values( preg_grep( '/^t=/', $fields ) );
	if ( 1 !== count( $times ) || ! preg_match( '/^t=([0-9]{1,12})$/D', $times[0], $match ) ) {
		return false;
	}
	$age = time() - (int) $match[1];
	return $age < 395 * DAY_IN_SECONDS && $age > -DAY_IN_SECONDS;
}
