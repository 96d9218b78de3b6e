"use strict";
/** In the place of modules that Pulumi's SDK loads only to put functions into the state; they are half of what a test file loads. */
module.exports = {};
