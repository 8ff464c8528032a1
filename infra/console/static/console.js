// Makes pages follow what happens. Every page works without it, by loading it again.
"use strict";
