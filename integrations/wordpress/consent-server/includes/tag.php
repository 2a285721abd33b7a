<?php
/** The tag: before all that themes and other plug-ins print. */

defined( 'ABSPATH' ) || exit;

add_action(
	'wp_head',
	function () {
		$script = consent_server_script();
		if ( '' !== $script ) {
			// Rocket Loader wants its mark before the address. Whoever adds a nonce does it by wp_script_attributes.
			wp_print_script_tag( CONSENT_SERVER_MARKS + array( 'async' => true, 'src' => $script ) );
		}
	},
	PHP_INT_MIN
);
