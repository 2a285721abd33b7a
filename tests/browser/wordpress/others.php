<?php
/** Plug-ins that want to be first, one that loads a script as plug-ins do, and one that grants without being asked. */

add_action('wp_head', function () {
    echo '<script>window.early = "consentWidget" in window;</script>';
}, -9999);

add_action('wp_enqueue_scripts', function () {
    wp_enqueue_script('late', content_url('mu-plugins/late.js'), array(), '1', false);
}, 0);

add_action('wp_footer', function () {
    if (isset($_GET['pushy'])) {
        echo '<script>addEventListener("load", () => wp_set_consent("marketing", "allow"));</script>';
    }
}, PHP_INT_MAX);
